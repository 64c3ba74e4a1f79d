"""Forms of computing a text that a path then holds: what does not know it cannot know the file.

Each is an expression that is WANT, with `local.NAME` being {"map": {"k": WANT, "no": "no"}, "list":
[WANT, "no"], "deep": {"a": {"b": WANT}}}.
"""

import os
from functools import partial

from tests.soundness.forms.registry import FORMS, Form, form
from tests.soundness.render import Bare, Expression, to_hcl, to_json
from tests.soundness.site import Changes, Site, file_changes, own

_OVERRIDES = "this tool does not follow files that override others"

# An expression, and whether a tool may leave it to Terraform. Then a file's folder stands for the
# file, but of a state nothing is known.
_EXPRESSIONS: dict[str, bool] = {
    'lower("WANT")': False,
    'lower(upper("WANT"))': False,
    'replace("WANT-x", "-x", "")': False,
    'trimprefix("x-WANT", "x-")': False,
    'trimsuffix("WANT-x", "-x")': False,
    'trimspace(" WANT\\n")': False,
    'element(["WANT", "no"], 2)': False,
    'lookup(local.NAME.map, "k", "no")': False,
    'lookup(local.NAME.map, "none", "WANT")': False,
    'local.NAME.map["k"]': False,
    "local.NAME.deep.a.b": False,
    'local.NAME["deep"]["a"].b': False,
    "local.NAME.list[0]": False,
    'coalesce("", "WANT")': False,
    'coalesce(null, "WANT")': False,
    'try(local.NAME.map.none, "WANT")': True,
    'try(local.NAME.map.k, "no")': False,
    'can(local.NAME.map.k) ? "WANT" : "no"': True,
    'join("", ["WANT"])': False,
    'split(";", "WANT;no")[0]': False,
    'format("%s", "WANT")': False,
    'format("%v%%", "WANT") == "WANT%" ? "WANT" : "no"': False,
    'one(["WANT"])': False,
    'keys({ "WANT" = 1 })[0]': False,
    'values({ b = "no", a = "WANT" })[0]': False,
    'merge({ a = "no" }, { a = "WANT" }).a': False,
    'concat([], ["WANT"])[0]': False,
    'distinct(["WANT", "WANT"])[0]': False,
    'compact(["", "WANT"])[0]': False,
    'tolist(toset(["z", "WANT"]))[0]': False,
    'true ? "WANT" : "no"': False,
    '1 == 1 ? "WANT" : "no"': False,
    '1 == "1" ? "no" : "WANT"': True,  # of two types, one may have been converted
    'true == "true" ? "no" : "WANT"': True,
    'null == null ? "WANT" : "no"': False,
    '!false && (1 < 2 || false) ? "WANT" : "no"': False,
    'length(local.NAME.list) > 1 ? "WANT" : "no"': False,
    'contains(local.NAME.list, "WANT") ? "WANT" : "no"': False,
    'endswith("WANT", "no") ? "no" : "WANT"': False,
    'terraform.workspace == "default" ? "WANT" : "no"': False,
    '[for s in ["WANT"] : s][0]': False,
    '[for s in ["no", "WANT"] : s if s != "no"][0]': False,
    '[for i, s in ["no", "WANT"] : s if i == 1][0]': False,
    '{ for k, v in { a = "WANT" } : upper(k) => v }.A': False,
    '{ (local.NAME.list[1]) = "WANT" }["no"]': False,
    '{ "a" : "WANT" }.a': False,
    '"${"WANT"}"': False,
    '"${local.NAME.list[0]}"': False,
    'tostring("WANT")': False,
    'sensitive("WANT")': True,  # a place is shown to people
    "local.NAME.list[length(local.NAME.list) - 2]": False,
    # What may be left to Terraform.
    'replace("WANT9", "/[0-9]/", "")': True,
    'formatlist("%s", ["WANT"])[0]': True,
    'sort(["z", "WANT"])[0]': True,
    'reverse(["no", "WANT"])[0]': True,
    'flatten([["WANT"]])[0]': False,
    'zipmap(["k"], ["WANT"]).k': True,
    'substr("xxWANT", 2, -1)': True,
    'jsondecode("\\"WANT\\"")': True,
    'base64decode(base64encode("WANT"))': True,
    'regex("W.*", "WANT")': True,
    'chomp("WANT\\n")': True,
    'one([{ n = "WANT" }][*].n)': True,
    '[{ n = "WANT" }].*.n[0]': True,
    'one("WANT"[*])': True,
    "local.NAME.list.0": False,
    '"%{ if true }WANT%{ else }no%{ endif }"': True,
    '"%{ for s in ["WANT"] }${s}%{ endfor }"': True,
    '{ for s in ["WANT"] : "k" => s... }["k"][0]': True,
    "trimspace(<<EOT\nWANT\nEOT\n)": False,
    "module.NAME.text": True,
    "terraform_data.NAME_text.output": True,
}
# Of these it may not even say that the file lies in the folder: they may hold a "..".
_CLIMBING = ("base64decode", "module.", "terraform_data.")


def _declare(expression: str, site: Site, want: str) -> str:
    """Declares what `expression` is about, and returns it for this site."""
    site.block(
        "locals",
        **{
            site.name: {
                "map": {"k": want, "no": "no"},
                "list": [want, "no"],
                "deep": {"a": {"b": want}},
            }
        },
    )
    if "module." in expression:
        module = site.tree.root / "modules" / site.name
        site.tree.write(module / "main.tf", to_hcl({"output": {"text": {"value": want}}}))
        site.block("module", site.name, source=site.path(module))
    if "terraform_data." in expression:
        site.uses(want, "_text")
    return (
        expression.replace('regex("W', f'regex("{want[0]}')
        .replace("WANT", want)
        .replace("NAME", site.name)
    )


def _file(expression: str, site: Site) -> Changes:
    one, no = site.shared("one"), site.shared("no", "no\n")
    site.block("locals", **{f"{site.name}_want": Expression(_declare(expression, site, "one"))})
    folder = site.in_module(one.parent)
    site.uses(Expression(f'file("{folder}/${{local.{site.name}_want}}")'))
    return own(file_changes(one), "chosen") | {"other: touch": file_changes(no)["touch"]}


def _state(expression: str, site: Site) -> Changes:
    above = site.upstream()
    want = os.path.relpath(above.state, site.tree.root).lower()
    computed = _declare(expression, site, want)
    root = site.in_module(site.tree.root)
    site.block("locals", **{f"{site.name}_want": Expression(computed)})
    site.block(
        "data",
        "terraform_remote_state",
        site.name,
        backend="local",
        config={"path": f"{root}/${{local.{site.name}_want}}"},
    )
    site.uses(Expression(f"data.terraform_remote_state.{site.name}.outputs.text"))
    return {}


for _expression, _unknown in _EXPRESSIONS.items():
    _name = " ".join(_expression.replace("local.NAME", "local").split())
    FORMS[f"a file by {_name}"] = Form(
        partial(_file, _expression),
        "the path takes what may lead out of its folder"
        if _expression.startswith(_CLIMBING)
        else "",
        is_in_part=_unknown,
        weight=0.15,
    )
    FORMS[f"a state by {_name}"] = Form(
        partial(_state, _expression),
        "the path takes what a tool that reads files alone may not compute" if _unknown else "",
        upstreams=1,
        weight=0.15,
    )


def _chosen(site: Site, variable: str) -> Changes:
    """Reads the file that a variable names; another of its kind is beside it."""
    one, two = site.shared("one"), site.shared("two", "two\n")
    site.uses(Expression(f'file("{site.in_module(one.parent)}/${{var.{variable}}}")'))
    return own(file_changes(one), "chosen") | {"other: delete": two.unlink}


@form(unknown=_OVERRIDES)
def a_default_that_an_override_sets(site: Site) -> Changes:
    variable = site.variable("two")
    override = to_hcl({"variable": {variable: {"default": "one"}}})
    site.extra_files[f"{site.name}_override.tf"] = override
    return _chosen(site, variable)


@form(unknown=_OVERRIDES)
def a_default_that_a_json_override_sets(site: Site) -> Changes:
    variable = site.variable("two")
    override = to_json({"variable": {variable: {"default": "one"}}})
    site.extra_files[f"{site.name}_override.tf.json"] = override
    return _chosen(site, variable)


@form(unknown=_OVERRIDES)
def a_local_that_an_override_sets(site: Site) -> Changes:
    one, two = site.shared("one"), site.shared("two", "two\n")
    site.block("locals", **{site.name: "two"})
    site.extra_files[f"{site.name}_override.tf"] = to_hcl({"locals": {site.name: "one"}})
    site.uses(Expression(f'file("{site.in_module(one.parent)}/${{local.{site.name}}}")'))
    return own(file_changes(one), "chosen") | {"other: delete": two.unlink}


@form(unknown=_OVERRIDES, upstreams=2)
def a_state_that_an_override_sets(site: Site) -> Changes:
    one, two = (site.in_module(site.upstream(n).state) for n in (-1, -2))
    kind = "terraform_remote_state"
    site.block("data", kind, site.name, backend="local", config={"path": two})
    override = {"data": {kind: {site.name: {"config": {"path": one}}}}}
    site.extra_files[f"{site.name}_override.tf"] = to_hcl(override)
    site.uses(Expression(f"data.{kind}.{site.name}.outputs.text"))
    return {}


@form(is_in_part=True)
def a_default_that_an_attribute_has(site: Site) -> Changes:
    kind = Bare('object({ file = optional(string, "one") })')
    site.block("variable", site.name, type=kind, default={})
    return _chosen(site, f"{site.name}.file")


@form(is_in_part=True)
def a_number_that_is_written_as_a_text(site: Site) -> Changes:
    one = site.shared("1")
    site.block("variable", site.name, type=Bare("number"), default="01")
    site.uses(Expression(f'file("{site.in_module(one.parent)}/${{var.{site.name}}}")'))
    return file_changes(one)


# The declaration of a variable, its value in a file, and an expression that is "one" by it.
_TYPED = {
    "null for what may not be null": ('default = "one"\n  nullable = false', "null", "VAR"),
    "a default of a type": ('type = object({ k = optional(string, "one") })', "{}", "VAR.k"),
    "a missing part that a type adds": (
        'type = object({ k = optional(string, "d") })',
        "{}",
        'length(VAR) == 1 ? "one" : "no"',
    ),
    "a part that no type has": (
        "type = object({ a = string })",
        '{ a = "one", b = "no" }',
        'lookup(VAR, "b", VAR.a)',
    ),
    "a set of one text twice": (
        "type = set(string)",
        '["a", "a"]',
        'length(VAR) == 1 ? "one" : "no"',
    ),
    "texts in a list of numbers": ("type = list(number)", '["01"]', 'VAR[0] == 1 ? "one" : "no"'),
    "numbers in a list of texts": ("type = list(string)", "[1]", 'VAR[0] == "1" ? "one" : "no"'),
    "a truth in a map of texts": (
        "type = map(string)",
        "{ k = true }",
        'VAR.k == "true" ? "one" : "no"',
    ),
    "a tuple of two types": (
        "type = tuple([string, number])",
        '[1, "2"]',
        'VAR[0] == "1" && VAR[1] == 2 ? "one" : "no"',
    ),
    "a list of any": ("type = list(any)", '[1, "a"]', 'VAR[0] == "1" ? "one" : "no"'),
    "a letter and its accent": ("type = string", '"e\\u0301"', 'VAR == "\\u00e9" ? "one" : "no"'),
}


def _typed(declared: str, given: str, expression: str, site: Site) -> Changes:
    one, no = site.shared("one"), site.shared("no", "no\n")
    variable = f"{site.name}_typed"
    site.extra_files[f"{variable}.tf"] = f'variable "{variable}" {{\n  {declared}\n}}\n'
    site.write(f"{variable}.auto.tfvars", f"{variable} = {given}\n")
    wanted = expression.replace("VAR", f"var.{variable}")
    site.uses(Expression(f'file("{site.in_module(one.parent)}/${{{wanted}}}")'))
    return own(file_changes(one), "chosen") | {"other: delete": no.unlink}


for _name, _parts in _TYPED.items():
    FORMS[_name] = Form(partial(_typed, *_parts), is_in_part=True, is_of_root=True, weight=0.3)


@form()
def a_number_with_a_fraction(site: Site) -> Changes:
    one = site.shared("1.5")
    site.block("locals", **{site.name: Expression("1.50")})
    site.uses(Expression(f'file("{site.in_module(one.parent)}/${{local.{site.name}}}")'))
    return file_changes(one)


@form()
def a_truth_in_a_path(site: Site) -> Changes:
    true = site.shared("true")
    site.block("variable", site.name, type=Bare("bool"), default="true")
    site.uses(Expression(f'file("{site.in_module(true.parent)}/${{var.{site.name}}}")'))
    return file_changes(true)


@form()
def a_text_that_is_normalized(site: Site) -> Changes:
    """Terraform makes one letter of u and the two dots after it."""
    path = site.shared("\u00fc")
    site.uses(Expression(f'file("{site.in_module(path.parent)}/u\u0308")'))
    return file_changes(path)


@form()
def an_argument_that_is_null(site: Site) -> Changes:
    """Which leaves a module's default where the variable is not nullable."""
    one = site.shared("one")
    module = site.tree.root / "modules" / site.name
    text = (
        'variable "folder" {}\nvariable "x" {\n  default  = "one"\n  nullable = false\n}\n'
        'resource "terraform_data" "this" {\n  input = file("${var.folder}/${var.x}")\n}\n'
    )
    site.tree.write(module / "main.tf", text)
    folder = site.in_module(one.parent)
    site.block("module", site.name, source=site.path(module), folder=folder, x=None)
    return file_changes(one)


@form(is_in_part=True)
def a_path_of_each_key_of_a_module(site: Site) -> Changes:
    one, two = site.shared("one"), site.shared("two")
    module = site.tree.root / "modules" / site.name
    text = (
        'variable "x" {}\nlocals {\n  path = var.x\n}\n'
        'resource "terraform_data" "this" {\n  input = file(local.path)\n}\n'
    )
    site.tree.write(module / "main.tf", text)
    keys = Expression('toset(["one", "two"])')
    site.block("module", site.name, source=site.path(module), for_each=keys)
    site.block("module", site.name, x=f"{site.in_module(one.parent)}/${{each.key}}")
    return own(file_changes(one), "one") | own(file_changes(two), "two")


@form(is_of_root=True)
def a_path_that_the_environment_chooses(site: Site) -> Changes:
    variable = site.variable("two")
    site.tree.env[f"TF_VAR_{variable}"] = "one"
    return _chosen(site, variable)


@form(is_of_root=True)
def a_path_that_files_choose_before_the_environment(site: Site) -> Changes:
    variable = site.variable("two")
    site.tree.env[f"TF_VAR_{variable}"] = "two"
    site.write(f"{site.name}.auto.tfvars.json", f'{{"{variable}": "two"}}\n')
    site.write(f"{site.name}.b.auto.tfvars", f'{variable} = "one"\n')
    return _chosen(site, variable)


@form(is_of_root=True, is_in_part=True)
def a_path_that_the_command_line_chooses(site: Site) -> Changes:
    variable = f"{site.name}_cli"
    site.tree.everywhere.setdefault("variable", {})[variable] = {"default": "two"}
    site.write(f"{site.name}.auto.tfvars", f'{variable} = "two"\n')
    for name in ("TF_CLI_ARGS_plan", "TF_CLI_ARGS_apply"):
        options = site.tree.env.get(name, "")
        site.tree.env[name] = f"{options} -var={variable}=one".strip()
    return _chosen(site, variable)


@form(is_in_part=True)
def templates_of_a_fileset(site: Site) -> Changes:
    path = site.shared("templates/a.tftpl", "one ${x}\n")
    folder = site.in_module(path.parent)
    call = f'templatefile("{folder}/${{t}}", {{ x = 1 }})'
    site.uses(Expression(f'[for t in fileset("{folder}", "*.tftpl") : {call}]'))
    return file_changes(path) | {"add one": lambda: site.shared("templates/b.tftpl", "two\n")}
