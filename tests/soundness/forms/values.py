"""Forms of giving values: files of them, the environment, the command line, what computes them."""

from functools import partial

from tests.soundness.forms.registry import FORMS, Form, form
from tests.soundness.render import Bare, Expression
from tests.soundness.site import Changes, Site, file_changes, own, replace, set_variable


def _values_file(name: str, text: str, site: Site) -> Changes:
    variable = site.variable("none")
    path = site.write(name.format(site.name), text.format(variable))
    site.uses(Expression(f"var.{variable}"))
    changes = {"value": replace(path, "one", "two")}
    return changes | own(file_changes(path), "file") if text.startswith("{0}") else changes


for _name, _text in {
    "{}.auto.tfvars": '{0} = "one"\n',
    ".{}.auto.tfvars": '{0} = "one"\n',
    "{}.auto.tfvars.json": '{{"{0}": "one"}}\n',
    ".{}.auto.tfvars.json": '{{"{0}": "one"}}\n',
    "{} x.auto.tfvars": '{0}="one"',
    "{}.x.auto.tfvars": '# {0} = "none"\n{0} = <<EOT\none\nEOT\n',
}.items():
    FORMS[f"values in {_name.format('x')}"] = Form(
        partial(_values_file, _name, _text), is_of_root=True
    )


@form(is_of_root=True)
def values_in_a_link(site: Site) -> Changes:
    variable = site.variable("none")
    path = site.shared("values", f'{variable} = "one"\n')
    (site.directory / f"{site.name}.auto.tfvars").symlink_to(site.path(path))
    site.uses(Expression(f"var.{variable}"))
    return {"value": replace(path, "one", "two")}


@form(is_of_root=True)
def the_strongest_file_wins(site: Site) -> Changes:
    variable = site.variable("none")
    weak = site.write(f"{site.name}-a.auto.tfvars", f'{variable} = "weak"\n')
    strong = site.write(f"{site.name}-b.auto.tfvars", f'{variable} = "strong"\n')
    site.uses(Expression(f"var.{variable}"))
    return {"strong": replace(strong, "strong", "stronger"), "gone": strong.unlink} | {
        "both": lambda: [replace(weak, "weak", "weaker")(), strong.write_text("")]
    }


@form(is_of_root=True)
def an_expression_in_tfvars(site: Site) -> Changes:
    variable = site.variable(0)
    path = site.write(f"{site.name}.auto.tfvars", f"{variable} = (1 + 2)\n")
    site.uses(Expression(f"var.{variable}"))
    return {"value": replace(path, "2", "3")}


@form(is_of_root=True)
def a_variable_of_the_environment(site: Site) -> Changes:
    variable = site.variable("none")
    site.tree.env[f"TF_VAR_{variable}"] = "one"
    site.uses(Expression(f"var.{variable}"))
    return {
        "another value": set_variable(site.tree.env, f"TF_VAR_{variable}", "two"),
        "none": lambda: site.tree.env.pop(f"TF_VAR_{variable}"),
    }


@form(is_of_root=True)
def a_variable_that_the_environment_begins_to_set(site: Site) -> Changes:
    variable = site.variable("none")
    site.uses(Expression(f"var.{variable}"))
    return {"set": set_variable(site.tree.env, f"TF_VAR_{variable}", "one")}


def _command_line(option: str, site: Site) -> Changes:
    """An option of plan and apply; every stack declares the variable that it sets."""
    variable = f"{site.name}_cli"
    site.tree.everywhere.setdefault("variable", {})[variable] = {"default": "none"}
    path = site.shared("values.tfvars", f'{variable} = "one"\n')
    text = option.format(variable=variable, file=path, home=site.tree.home)
    for name in ("TF_CLI_ARGS_plan", "TF_CLI_ARGS_apply"):
        site.tree.env[name] = f"{site.tree.env.get(name, '')} {text}".strip()
    site.uses(Expression(f"var.{variable}"))

    def another() -> None:
        for name in ("TF_CLI_ARGS_plan", "TF_CLI_ARGS_apply"):
            site.tree.env[name] = site.tree.env[name].replace("=one", "=two")

    if "-file" in option:
        return {"value": replace(path, "one", "two"), "touch": file_changes(path)["touch"]}
    return {"value": another}


for _option in (
    "-var={variable}=one",
    "-var '{variable}=one'",
    "--var={variable}=one",
    "-var-file={file}",
    "-var-file '{file}'",
    "--var-file={file}",
):
    _shown = _option.format(variable="x", file="x.tfvars")
    FORMS[f"values by {_shown}"] = Form(
        # What sets a variable for all stacks counts for each of them: few, so that nine of ten
        # can be unchanged.
        partial(_command_line, _option),
        is_of_root=True,
        weight=0.3,
    )


@form()
def locals_of_locals(site: Site) -> Changes:
    for name, value in (("a", "one"), ("b", f"${{local.{site.name}_a}} more")):
        site.block("locals", **{f"{site.name}_{name}": value})
    site.uses(Expression(f"upper(local.{site.name}_b)"))
    return {}


@form()
def a_typed_variable(site: Site) -> Changes:
    site.block(
        "variable",
        site.name,
        type=Bare("object({ a = string, b = optional(number, 1) })"),
        default={"a": "one"},
        nullable=False,
    )
    site.uses(Expression(f"var.{site.name}.b"))
    return {}


@form()
def a_sensitive_variable(site: Site) -> Changes:
    site.block("variable", site.name, default="a secret of some length", sensitive=True)
    site.uses(Expression(f"var.{site.name}"))
    return {}


@form()
def a_resource_for_each(site: Site) -> Changes:
    keys = Expression('{ for k in ["a", "b"] : k => upper(k) }')
    site.block("resource", "terraform_data", site.name, for_each=keys)
    site.uses(Expression("each.value"))
    return {}


@form(unknown="every plan has another value")
def the_time_of_the_plan(site: Site) -> Changes:
    site.uses(Expression("plantimestamp()"))
    return {}


@form(unknown="every plan has another value")
def the_time_of_the_apply(site: Site) -> Changes:
    site.uses(Expression("timestamp()"))
    return {}


@form(unknown="every plan has another value")
def a_new_uuid(site: Site) -> Changes:
    site.uses(Expression("uuid()"))
    return {}


@form()
def names_of_functions_in_texts(site: Site) -> Changes:
    site.uses("file(x) timestamp() fileset() data.terraform_remote_state.x.outputs.y $${file(a)}")
    return {}
