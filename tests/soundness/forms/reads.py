"""Forms of reading another stack's state."""

import os
from functools import partial
from typing import Any

from tests.soundness.forms.registry import FORMS, Form, form
from tests.soundness.render import Bare, Expression
from tests.soundness.site import Changes, Site, Upstream, replace


def _state(site: Site, config: Any, suffix: str = "", **arguments: Any) -> str:
    """Adds a data source that reads a local state, and returns its address."""
    name = site.name + suffix
    kind = "terraform_remote_state"
    site.block("data", kind, name, backend="local", config=config, **arguments)
    return f"data.{kind}.{name}"


def _relative(site: Site, above: Upstream) -> str:
    """Its path from the working directory, which is what the local backend counts from."""
    return os.path.relpath(above.state, site.stack)


def _by_path(kind: str, site: Site) -> Changes:
    above = site.upstream()
    paths = {
        "relative": _relative(site, above),
        "of the module": site.in_module(above.state),
        "of the root": f"${{path.root}}/{_relative(site, above)}",
        "of the working directory": f"${{path.cwd}}/{_relative(site, above)}",
        "absolute": str(above.state),
        "abspath": Expression(f'abspath("{site.in_module(above.state)}")'),
        "format": Expression(f'format("%s/%s", path.module, "{site.path(above.state)}")'),
        "join": Expression(f'join("/", [path.module, "{site.path(above.state)}"])'),
        "in a circle": f"./{site.stack.name}/../{_relative(site, above)}".replace(
            f"./{site.stack.name}/..", f"../{site.stack.name}"
        ),
    }
    address = _state(site, {"path": paths[kind]})
    site.uses(Expression(f"{address}.outputs.text"))
    return {}


for _kind in (
    "relative",
    "of the module",
    "of the root",
    "of the working directory",
    "absolute",
    "abspath",
    "format",
    "join",
    "in a circle",
):
    FORMS[f"a state at a path: {_kind}"] = Form(partial(_by_path, _kind), upstreams=1)


def _by_output(expression: str, site: Site) -> Changes:
    address = _state(site, {"path": site.in_module(site.upstream().state)})
    site.block("locals", **{f"{site.name}_key": "text"})
    site.uses(Expression(expression.format(state=address, key=f"local.{site.name}_key")))
    return {}


for _expression in (
    "{state}.outputs.text",
    '{state}.outputs["text"]',
    "{state}.outputs[{key}]",
    "{state}.outputs",
    "{state}.outputs.map.a",
    "{state}.outputs .map",
    "{state}.outputs\\n.map",
    'lookup({state}.outputs, "text", "")',
    'try({state}.outputs.none, {state}.outputs.text, "")',
    "[for k, v in {state}.outputs : v if k == {key}]",
    "[{state}][0].outputs.text",
    "[{state}][*].outputs.text",
    "{state}",
):
    _name = _expression.format(state="state", key="key")
    if "\\n" in _expression:
        # Terraform takes a line's end in brackets.
        _expression = "(" + _expression.replace("\\n", "\n") + ")"
    FORMS[f"an output: {_name}"] = Form(partial(_by_output, _expression), upstreams=1)


@form(upstreams=1)
def a_state_at_the_default_of_a_variable(site: Site) -> Changes:
    above = site.upstream()
    name = site.variable(_relative(site, above))
    site.uses(Expression(f"{_state(site, {'path': Expression(f'var.{name}')})}.outputs.text"))
    return {}


@form(upstreams=2, is_of_root=True)
def a_state_at_a_value_of_tfvars(site: Site) -> Changes:
    one, two = site.upstream(-1), site.upstream(-2)
    name = site.variable("../nowhere/terraform.tfstate")
    values = site.write(f"{site.name}.auto.tfvars", f'{name} = "{_relative(site, one)}"\n')
    site.uses(Expression(f"{_state(site, {'path': Expression(f'var.{name}')})}.outputs.text"))
    return {"the other": replace(values, _relative(site, one), _relative(site, two))}


@form(upstreams=1)
def a_state_at_a_local(site: Site) -> Changes:
    above = site.upstream()
    site.block("locals", **{f"{site.name}_folder": site.in_module(above.directory)})
    file = above.state.relative_to(above.directory) if _is_inside(above) else None
    path = f"${{local.{site.name}_folder}}/{file}" if file else site.in_module(above.state)
    site.uses(Expression(f"{_state(site, {'path': path})}.outputs.text"))
    return {}


def _is_inside(above: Upstream) -> bool:
    return above.state.is_relative_to(above.directory)


@form(upstreams=1)
def a_state_whose_config_is_a_local(site: Site) -> Changes:
    config = {"path": site.in_module(site.upstream().state)}
    site.block("locals", **{f"{site.name}_config": config})
    address = _state(site, Expression(f"local.{site.name}_config"))
    site.uses(Expression(f"{address}.outputs.text"))
    return {}


@form(upstreams=1)
def a_state_whose_config_is_merged(site: Site) -> Changes:
    path = site.in_module(site.upstream().state)
    address = _state(site, Expression(f'merge({{}}, {{ path = "{path}" }})'))
    site.uses(Expression(f"{address}.outputs.text"))
    return {}


@form(upstreams=2)
def a_state_by_a_condition(site: Site) -> Changes:
    one, two = (site.in_module(above.state) for above in (site.upstreams[-1], site.upstream(-2)))
    name = site.variable(False)
    address = _state(site, {"path": Expression(f'var.{name} ? "{one}" : "{two}"')})
    site.uses(Expression(f"{address}.outputs.text"))
    return {}


@form(upstreams=2)
def states_for_each_of_a_map(site: Site) -> Changes:
    paths = {f"k{n}": site.in_module(site.upstream(-n).state) for n in (1, 2)}
    site.block("data", "terraform_remote_state", site.name, for_each=paths)
    address = _state(site, {"path": Expression("each.value")})
    site.uses(Expression(f"{{ for k, v in {address} : k => v.outputs.text }}"))
    return {}


@form(upstreams=2)
def states_for_each_of_a_set(site: Site) -> Changes:
    paths = [site.path(site.upstream(-n).state) for n in (1, 2)]
    keys = Expression("toset([" + ", ".join(f'"{path}"' for path in paths) + "])")
    site.block("data", "terraform_remote_state", site.name, for_each=keys)
    address = _state(site, {"path": "${path.module}/${each.key}"})
    site.uses(Expression(f"values({address})[*].outputs.text"))
    return {}


@form(upstreams=2)
def states_by_count(site: Site) -> Changes:
    paths = [site.in_module(site.upstream(-n).state) for n in (1, 2)]
    site.block("locals", **{site.name: paths})
    site.block("data", "terraform_remote_state", site.name, count=2)
    address = _state(site, {"path": Expression(f"local.{site.name}[count.index]")})
    site.uses(Expression(f"{address}[*].outputs.text"))
    return {}


@form(upstreams=1)
def a_state_with_defaults(site: Site) -> Changes:
    path = site.in_module(site.upstream().state)
    address = _state(site, {"path": path}, defaults={"text": "none", "other": "none"})
    site.uses(Expression(f"[{address}.outputs.text, {address}.outputs.other]"))
    return {}


@form(upstreams=1)
def a_state_of_the_default_workspace(site: Site) -> Changes:
    path = site.in_module(site.upstream().state)
    address = _state(site, {"path": path}, workspace="default")
    site.uses(Expression(f"{address}.outputs.text"))
    return {}


@form(upstreams=1, unknown="the state of a workspace is in another place")
def a_state_of_another_workspace(site: Site) -> Changes:
    above = site.upstream()
    site.reads.discard(above.name)
    folder = site.shared_folder
    other = site.tree.write(folder / site.name / "terraform.tfstate", _foreign_state("one"))
    config = {"path": site.in_module(above.state), "workspace_dir": site.in_module(folder)}
    address = _state(site, config, workspace=site.name)
    site.uses(Expression(f"{address}.outputs.text"))
    return {"the other's output": replace(other, "one", "two")}


@form(unknown="the state is no stack's")
def a_state_from_elsewhere(site: Site) -> Changes:
    """A path that ends as those of our stacks do."""
    file = site.tree.root.parent / f"elsewhere-{site.name}/shared-infra/a/terraform.tfstate"
    state = site.tree.write(file, _foreign_state("one"))
    path = os.path.relpath(state, site.stack)
    site.uses(Expression(f"{_state(site, {'path': path})}.outputs.text"))
    return {"its output": replace(state, "one", "two")}


@form(upstreams=1)
def a_state_by_a_link(site: Site) -> Changes:
    above = site.upstream()
    link = site.tree.root / "links" / site.name
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(above.state.parent)
    path = site.in_module(link / above.state.name)
    site.uses(Expression(f"{_state(site, {'path': path})}.outputs.text"))
    return {}


@form(upstreams=1)
def a_state_for_a_module(site: Site) -> Changes:
    """A module that gets an output, and one that gets the whole of them."""
    module = site.tree.root / "modules" / site.name
    text = 'variable "x" {}\nresource "terraform_data" "this" {\n  input = var.x\n}\n'
    site.tree.write(module / "main.tf", text)
    address = _state(site, {"path": site.in_module(site.upstream().state)})
    for suffix, value in (("_text", f"{address}.outputs.text"), ("_all", f"{address}.outputs")):
        site.block("module", site.name + suffix, source=site.path(module), x=Expression(value))
    return {}


@form(upstreams=1)
def a_state_whose_path_a_module_is_told(site: Site) -> Changes:
    module = site.tree.root / "modules" / site.name
    text = (
        'variable "path" {\n  type = string\n}\n'
        'data "terraform_remote_state" "this" {\n  backend = "local"\n'
        "  config = {\n    path = var.path\n  }\n}\n"
        'resource "terraform_data" "this" {\n'
        "  input = data.terraform_remote_state.this.outputs.text\n}\n"
    )
    site.tree.write(module / "main.tf", text)
    path = site.in_module(site.upstream().state)
    site.block("module", site.name, source=site.path(module), path=path)
    return {}


@form(upstreams=1)
def a_path_from_an_output(site: Site) -> Changes:
    """Which decides only what is used: both states are read by literal paths."""
    above = site.upstream()
    address = _state(site, {"path": site.in_module(above.state)})
    site.block("locals", **{site.name: Expression(f"{address}.outputs")})
    site.block("variable", site.name, type=Bare("string"), default="text")
    site.uses(Expression(f"local.{site.name}[var.{site.name}]"))
    return {}


def _foreign_state(text: str) -> str:
    return (
        '{"version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "elsewhere", '
        f'"outputs": {{"text": {{"value": "{text}", "type": "string"}}}}, "resources": []}}\n'
    )
