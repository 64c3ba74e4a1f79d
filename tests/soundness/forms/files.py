"""Forms of reading files: functions, and the ways to write a path."""

import os
from functools import partial
from pathlib import Path

from tests.soundness.forms.registry import FORMS, Form, form
from tests.soundness.render import Expression
from tests.soundness.site import Changes, Site, file_changes, own, replace

_FUNCTIONS = (
    "file",
    "filebase64",
    "filemd5",
    "filesha1",
    "filesha256",
    "filesha512",
    "filebase64sha256",
    "filebase64sha512",
)
# What a person or a tool leaves behind elsewhere, and here is read.
_NAMES = (
    "x.txt",
    ".hidden",
    "a b.txt",
    "ü.txt",
    "x.pyc",
    "__pycache__/x.txt",
    "crash.log",
    "x.tfstate.json",
    "x.tfplan",
    ".ssh/id.pub",
    ".terraform.d/x",
    "terraform.tfstate.d.txt",
)


def _by_function(function: str, site: Site) -> Changes:
    path = site.write(f"{site.name}/x.txt")
    site.uses(Expression(f'{function}("{site.in_module(path)}")'))
    return file_changes(path)


def _by_name(name: str, site: Site) -> Changes:
    path = site.write(f"{site.name}/{name}")
    site.uses(Expression(f'file("{site.in_module(path)}")'))
    return file_changes(path)


for _function in _FUNCTIONS:
    FORMS[f"{_function} of a literal"] = Form(partial(_by_function, _function))
for _name in _NAMES:
    FORMS[f"a file called {_name}"] = Form(partial(_by_name, _name))


@form()
def a_file_outside(site: Site) -> Changes:
    path = site.shared("x.sh")
    site.uses(Expression(f'file("{site.in_module(path)}")'))
    return file_changes(path)


@form()
def a_file_relative_to_the_working_directory(site: Site) -> Changes:
    path = site.shared("x.sh")
    site.uses(Expression(f'file("{os.path.relpath(path, site.stack)}")'))
    return file_changes(path)


@form()
def a_bare_file_name(site: Site) -> Changes:
    path = site.tree.write(site.stack / f"{site.name}.txt", "one\n")
    site.uses(Expression(f'file("{path.name}")'))
    return file_changes(path)


@form()
def a_variable_in_a_path(site: Site) -> Changes:
    one, two = site.shared("one.sh"), site.shared("two.sh", "two\n")
    name = site.variable("one")
    folder = site.in_module(one.parent)
    site.uses(Expression(f'file("{folder}/${{var.{name}}}.sh")'))
    return own(file_changes(one), "chosen") | own(file_changes(two), "other")


@form(is_of_root=True)
def a_variable_of_tfvars_in_a_path(site: Site) -> Changes:
    path = site.shared("one.sh")
    name = site.variable("two")
    site.write(f"{site.name}.auto.tfvars", f'{name} = "one"\n')
    folder = site.in_module(path.parent)
    site.uses(Expression(f'file("{folder}/${{var.{name}}}.sh")'))
    return file_changes(path)


@form()
def a_local_as_a_path(site: Site) -> Changes:
    path = site.shared("x.sh")
    site.block("locals", **{f"{site.name}_folder": site.in_module(path.parent)})
    site.block("locals", **{f"{site.name}_path": f"${{local.{site.name}_folder}}/{path.name}"})
    site.uses(Expression(f"file(local.{site.name}_path)"))
    return file_changes(path)


@form()
def format_as_a_path(site: Site) -> Changes:
    path = site.shared("x.sh")
    folder = site.path(path.parent)
    site.uses(Expression(f'file(format("%s/%s/%s", path.module, "{folder}", "{path.name}"))'))
    return file_changes(path)


@form()
def join_as_a_path(site: Site) -> Changes:
    path = site.shared("x.sh")
    parts = f'[path.module, "{site.path(path.parent)}", "{path.name}"]'
    site.uses(Expression(f'file(join("/", {parts}))'))
    return file_changes(path)


@form()
def a_conditional_path(site: Site) -> Changes:
    one, two = site.shared("one.sh"), site.shared("two.sh", "two\n")
    name = site.variable(True)
    paths = f'"{site.in_module(one)}" : "{site.in_module(two)}"'
    site.uses(Expression(f"file(var.{name} ? {paths})"))
    return own(file_changes(one), "chosen") | own(file_changes(two), "other")


@form(is_in_part=True)
def a_path_of_each_key(site: Site) -> Changes:
    one, two = site.shared("one.sh"), site.shared("two.sh", "two\n")
    path = f"{site.in_module(one.parent)}/${{each.key}}.sh"
    keys = Expression('toset(["one", "two"])')
    site.block("resource", "terraform_data", site.name, for_each=keys)
    site.uses(Expression(f'file("{path}")'))
    return own(file_changes(one), "one") | own(file_changes(two), "two")


@form(is_in_part=True)
def a_path_of_a_for_expression(site: Site) -> Changes:
    one, two = site.shared("one.sh"), site.shared("two.sh", "two\n")
    path = f"{site.in_module(one.parent)}/${{n}}.sh"
    site.uses(Expression(f'[for n in ["one", "two"] : file("{path}")]'))
    return own(file_changes(one), "one") | own(file_changes(two), "two")


@form()
def a_path_in_the_home_folder(site: Site) -> Changes:
    path = site.tree.write(site.tree.home / f".ssh/{site.name}.pub", "one\n")
    site.uses(Expression(f'file("~/.ssh/{path.name}")'))
    return file_changes(path)


@form()
def pathexpand_of_the_home_folder(site: Site) -> Changes:
    path = site.tree.write(site.tree.home / f"{site.name}.pub", "one\n")
    site.uses(Expression(f'filesha1(pathexpand("~/{path.name}"))'))
    return file_changes(path)


@form()
def an_absolute_path(site: Site) -> Changes:
    path = site.shared("x.sh")
    site.uses(Expression(f'file("{path}")'))
    return file_changes(path)


@form()
def abspath_of_a_path(site: Site) -> Changes:
    path = site.shared("x.sh")
    site.uses(Expression(f'filemd5(abspath("{site.in_module(path)}"))'))
    return file_changes(path)


@form()
def path_root(site: Site) -> Changes:
    # Hidden, since all that is visible in a stack's directory counts anyway.
    path = site.tree.write(site.stack / ".files" / f"{site.name}.txt", "one\n")
    site.uses(Expression(f'file("${{path.root}}/.files/{path.name}")'))
    return file_changes(path)


@form()
def a_path_named_after_the_root(site: Site) -> Changes:
    path = site.tree.write(site.tree.root / "scripts" / f"{site.stack.name}.{site.name}", "one\n")
    folder = os.path.relpath(path.parent, site.stack)
    name = f"${{basename(abspath(path.root))}}.{site.name}"
    site.uses(Expression(f'file("${{path.root}}/{folder}/{name}")'))
    return file_changes(path)


@form()
def path_cwd(site: Site) -> Changes:
    path = site.shared("x.sh")
    relative = os.path.relpath(path, site.stack)
    site.uses(Expression(f'filesha256("${{path.cwd}}/{relative}")'))
    return file_changes(path)


@form()
def a_link_to_a_file(site: Site) -> Changes:
    path = site.shared("x.sh")
    link = site.directory / f"{site.name}.lnk"
    link.symlink_to(os.path.relpath(path, site.directory))
    site.uses(Expression(f'file("{site.in_module(link)}")'))
    return file_changes(path)


@form(is_in_part=True)
def a_fileset(site: Site) -> Changes:
    path = site.write(f"{site.name}/a.txt")
    site.write(f"{site.name}/.b.txt", "two\n")
    folder = site.in_module(path.parent)
    site.uses(
        Expression(f'{{ for f in fileset("{folder}", "*") : f => filemd5("{folder}/${{f}}") }}')
    )
    return {
        **own(file_changes(path), "a"),
        **own(file_changes(path.with_name(".b.txt")), "dot"),
        "add a dot file": lambda: path.with_name(".c").write_text("three\n"),
        "add a file": lambda: path.with_name("c").write_text("three\n"),
        "add a file below": lambda: site.write(f"{site.name}/below/d", "four\n"),
    }


@form()
def dot_files_of_a_fileset(site: Site) -> Changes:
    path = site.write(f"{site.name}/.a.txt")
    site.uses(Expression(f'join(",", fileset("{site.in_module(path.parent)}", ".*"))'))
    return {
        "add one": lambda: path.with_name(".b.txt").write_text("two\n"),
        "delete": path.unlink,
    }


@form()
def a_fileset_outside(site: Site) -> Changes:
    path = site.shared("set/deep/a.sh")
    folder = site.in_module(path.parents[1])
    site.uses(Expression(f'join(",", fileset("{folder}", "**/*.sh"))'))
    return {
        **file_changes(path),
        "add one that matches": lambda: path.with_name(".b.sh").write_text("two\n"),
        "add one that does not": lambda: path.with_name("b.txt").write_text("two\n"),
    }


@form()
def a_fileset_with_a_folder_in_the_pattern(site: Site) -> Changes:
    path = site.shared("set/a.sh")
    folder = site.in_module(path.parents[1])
    pattern = "{set,other}/*.sh"
    site.uses(Expression(f'sort(fileset("{folder}", "{pattern}"))'))
    return {
        "add one": lambda: path.with_name("b.sh").write_text("two\n"),
        "add one in another": lambda: site.shared("other/c.sh", "two\n"),
        "delete": path.unlink,
    }


@form()
def fileexists(site: Site) -> Changes:
    path = site.shared("x.sh")
    absent = path.with_name("absent")
    site.uses(
        Expression(
            f'[fileexists("{site.in_module(path)}"), fileexists("{site.in_module(absent)}")]'
        )
    )
    return file_changes(path) | {"create": lambda: absent.write_text("")}


@form()
def a_file_that_may_be_missing(site: Site) -> Changes:
    absent = site.shared_folder / "absent"
    site.uses(Expression(f'try(file("{site.in_module(absent)}"), "none")'))
    return {"create": lambda: site.tree.write(absent, "now\n")}


@form()
def a_template(site: Site) -> Changes:
    path = site.write(f"{site.name}.tftpl", "one ${a}\n")
    site.uses(Expression(f'templatefile("{site.in_module(path)}", {{ a = 1 }})'))
    return file_changes(path)


@form()
def a_template_that_reads_a_file(site: Site) -> Changes:
    path = site.shared("x.sh")
    # Within a template a path counts from the working directory, as everywhere.
    text = f'${{file("{os.path.relpath(path, site.stack)}")}}\n'
    template = site.write(f"{site.name}.tftpl", text)
    site.uses(Expression(f'templatefile("{site.in_module(template)}", {{}})'))
    return file_changes(path)


@form(unknown="the path is a value that the template gets")
def a_template_that_reads_what_it_is_told(site: Site) -> Changes:
    path = site.shared("x.sh")
    template = site.write(f"{site.name}.tftpl", "${file(path)}\n")
    arguments = f'{{ path = "{site.in_module(path)}" }}'
    site.uses(Expression(f'templatefile("{site.in_module(template)}", {arguments})'))
    return own(file_changes(path), "read") | own(file_changes(template), "template")


@form()
def decoded_files(site: Site) -> Changes:
    one, two = site.shared("one.json", '{"a": 1}\n'), site.shared("two.yaml", "a: 1\n")
    site.uses(Expression(f'jsondecode(file("{site.in_module(one)}")).a'))
    site.uses(Expression(f'yamldecode(file("{site.in_module(two)}"))'), "_yaml")
    return {
        "json": replace(one, "1", "2"),
        "json, spaces alone": replace(one, "1", " 1"),
        "yaml": replace(two, "1", "2"),
    }


@form(unknown="the path is in another file")
def a_path_in_a_file(site: Site) -> Changes:
    path = site.shared("x.sh")
    pointer = site.shared("pointer", f"{os.path.relpath(path, site.stack)}\n")
    site.uses(Expression(f'file(trimspace(file("{site.in_module(pointer)}")))'))
    return own(file_changes(path), "target") | own(file_changes(pointer), "pointer")


@form()
def a_file_in_a_local_that_an_output_has(site: Site) -> Changes:
    path = site.shared("x.sh")
    site.block("locals", **{site.name: Expression(f'file("{site.in_module(path)}")')})
    if site.directory == site.stack:
        site.block("output", site.name, value=Expression(f"local.{site.name}"))
    else:
        site.uses(Expression(f"local.{site.name}"))
    return file_changes(path)


@form(is_of_root=True)
def a_file_for_a_module(site: Site) -> Changes:
    path = site.shared("x.sh")
    module = site.tree.root / "modules" / site.name
    text = 'variable "x" {}\nresource "terraform_data" "this" {\n  input = var.x\n}\n'
    site.tree.write(module / "main.tf", text)
    argument = Expression(f'file("{site.in_module(path)}")')
    site.block("module", site.name, source=site.path(module), x=argument)
    return file_changes(path)


@form()
def a_path_that_a_module_is_told(site: Site) -> Changes:
    path = site.shared("x.sh")
    module = site.tree.root / "modules" / site.name
    text = 'variable "x" {}\nresource "terraform_data" "this" {\n  input = file(var.x)\n}\n'
    site.tree.write(module / "main.tf", text)
    site.block("module", site.name, source=site.path(module), x=site.in_module(path))
    return file_changes(path)


@form()
def a_module_behind_a_link(site: Site) -> Changes:
    """Its path.module is behind the link, whose ".." is the real parent."""
    module = site.tree.root / "elsewhere" / site.name / "module"
    path = site.tree.write(module.parent / "x.sh", "one\n")
    text = 'resource "terraform_data" "this" {\n  input = file("${path.module}/../x.sh")\n}\n'
    site.tree.write(module / "main.tf", text)
    link = site.tree.root / "modules" / site.name
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(os.path.relpath(module, link.parent))
    site.block("module", site.name, source=site.path(link))
    return file_changes(path)


@form(unknown="what comes after a part that is not known leads out of its folder")
def a_climb_after_what_is_not_known(site: Site) -> Changes:
    path, below = site.shared("x.sh"), site.shared("below/y.sh")
    folder = site.in_module(path.parent)
    site.uses(Expression(f'file("{folder}/${{chomp("{below.parent.name}")}}/../{path.name}")'))
    return file_changes(path)


@form(unknown="the path is in a text that is decoded, and leads out of the folder")
def a_climb_in_a_decoded_text(site: Site) -> Changes:
    path, below = site.shared("x.sh"), site.shared("below/y.sh")
    text = f'yamldecode("path: ../{path.name}").path'
    site.uses(Expression(f'file("{site.in_module(below.parent)}/${{{text}}}")'))
    return file_changes(path)


@form(is_in_part=True)
def a_number_with_many_digits_in_a_path(site: Site) -> Changes:
    """Terraform keeps 512 bits, and writes no exponent."""
    path, other = site.shared("x-0.00001.sh"), site.shared("x-0.1234567890123456789.sh", "two\n")
    folder = site.in_module(path.parent)
    site.uses(Expression(f'file("{folder}/x-${{1e-5}}.sh")'))
    site.uses(Expression(f'file("{folder}/x-${{0.1234567890123456789}}.sh")'), "_more")
    return own(file_changes(path), "small") | own(file_changes(other), "long")


@form(upstreams=1)
def the_state_as_a_file(site: Site) -> Changes:
    """Which says nothing of the order, so the stack reads the outputs too."""
    above = site.upstream()
    site.block(
        "data",
        "terraform_remote_state",
        site.name,
        backend="local",
        config={"path": f"{os.path.relpath(above.state, site.stack)}"},
    )
    site.uses(Expression(f"data.terraform_remote_state.{site.name}.outputs.text"), "_read")
    text = f'jsondecode(file("{site.in_module(above.state)}")).outputs.map.value'
    site.uses(Expression(text))
    return {}


@form()
def an_unread_path(site: Site) -> Changes:
    """Strings that look like paths, and that nothing reads."""
    path = site.shared("x.sh")
    site.uses(f"{site.in_module(path)} /usr/share /proc/self ~/.ssh ../../")
    site.uses("/usr/share", "_share")
    site.uses("/proc/self", "_proc")
    folder = str(Path(site.path(path)).parent)
    site.uses(folder, "_folder")
    return {"touch": lambda: os.utime(path, (1, 1))}
