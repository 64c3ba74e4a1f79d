"""What a stack reads: each form resolves to a place, and a place to a stack, or it is unknown."""

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.trees import REPOSITORY, reading, write_stack
from tools.layout.repository import Repository
from tools.layout.stack import FOLDERS, Stack
from tools.state.backend import Backend

A, B = "shared-infra/a", "shared-infra/b"
LOCAL = "${path.module}/../../shared-infra"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in ("shared-infra", "modules", "notebooks"):
        (tmp_path / folder).mkdir()
    for name in (A, B):
        write_stack(tmp_path, name, "")
    return tmp_path


def data(config: str, backend: str = '"local"', more: str = "") -> str:
    return (
        f'data "terraform_remote_state" "x" {{\n  backend = {backend}\n  config = {config}\n'
        f"  {more}\n}}\n"
    )


def stack(root: Path, text: str, name: str = "notebooks/n", **env: str) -> Stack:
    write_stack(root, name, text)
    found = {s.name: s for s in Repository(root, env={"PATH": "", **env}).stacks()}
    return found[name]


def in_bucket(root: Path, name: str, key: str, bucket: str = "ours") -> None:
    text = f'terraform {{\n  backend "s3" {{\n    bucket = "{bucket}"\n    key = "{key}"\n'
    write_stack(root, name, f'{text}    region = "r"\n  }}\n}}\n')


KNOWN = {
    "an empty workspace": (
        data('{ path = "../../shared-infra/a/terraform.tfstate" }', more='workspace = ""'),
        (A,),
    ),
    "a plain path": (data(f'{{ path = "{LOCAL}/a/terraform.tfstate" }}'), (A,)),
    "a path from the working directory": (
        data('{ path = "../../shared-infra/a/terraform.tfstate" }'),
        (A,),
    ),
    "an absolute path of a function": (
        data(f'{{ path = abspath("{LOCAL}/a/terraform.tfstate") }}'),
        (A,),
    ),
    "for_each over a set": (
        data(
            f'{{ path = "{LOCAL}/${{each.key}}/terraform.tfstate" }}',
            more='for_each = toset(["a", "b"])',
        ),
        (A, B),
    ),
    "for_each over a map": (
        data(
            '{ path = "../../${each.value.where}/terraform.tfstate" }',
            more=f'for_each = {{ one = {{ where = "{A}" }}, two = {{ where = "{B}" }} }}',
        ),
        (A, B),
    ),
    "count": (
        data(
            f'{{ path = "{LOCAL}/${{["a", "b"][count.index]}}/terraform.tfstate" }}',
            more="count = 2",
        ),
        (A, B),
    ),
    "count of none": (data(f'{{ path = "{LOCAL}/a/terraform.tfstate" }}', more="count = 0"), ()),
    "a for over a list": (
        data(
            f'{{ path = "{LOCAL}/${{each.key}}/terraform.tfstate" }}',
            more='for_each = { for n in ["a"] : n => n }',
        ),
        (A,),
    ),
    "a condition that is known": (
        'variable "v" {\n  default = true\n}\n'
        + data(
            f'{{ path = var.v ? "{LOCAL}/a/terraform.tfstate" : "{LOCAL}/b/terraform.tfstate" }}'
        ),
        (A,),
    ),
    "a condition that is not known": (
        'variable "v" {}\n'
        + data(
            f'{{ path = var.v ? "{LOCAL}/a/terraform.tfstate" : "{LOCAL}/b/terraform.tfstate" }}'
        ),
        (A, B),
    ),
    "one of many by a key that is not known": (
        'variable "v" {}\n'
        + data('{ path = "${local.all[var.v]}/terraform.tfstate" }')
        + f'locals {{\n  all = {{ one = "../../{A}", two = "../../{B}" }}\n}}\n',
        (A, B),
    ),
    "a local of locals": (
        'locals {\n  base = "../../shared-infra"\n'
        '  path = join("/", [local.base, "a", "terraform.tfstate"])\n}\n'
        + data("{ path = local.path }"),
        (A,),
    ),
    "a type's default for a part that is missing": (
        'variable "v" {\n  type = object({ of = optional(string, "b") })\n  default = {}\n}\n'
        + data(f'{{ path = "{LOCAL}/${{lookup(var.v, "of", "a")}}/terraform.tfstate" }}'),
        (B,),
    ),
    "a set of one text twice": (
        'variable "v" {\n  type = set(string)\n  default = ["x", "x"]\n}\n'
        + data(f'{{ path = "{LOCAL}/${{length(var.v) == 1 ? "b" : "a"}}/terraform.tfstate" }}'),
        (B,),
    ),
    "a text in a list of numbers": (
        'variable "v" {\n  type = list(number)\n  default = ["01"]\n}\n'
        + data(f'{{ path = "{LOCAL}/${{var.v[0] == 1 ? "b" : "a"}}/terraform.tfstate" }}'),
        (B,),
    ),
    "a truth in a map of texts": (
        'variable "v" {\n  type = map(string)\n  default = { k = true }\n}\n'
        + data(f'{{ path = "{LOCAL}/${{var.v.k == "true" ? "b" : "a"}}/terraform.tfstate" }}'),
        (B,),
    ),
    "a type in JSON's way": (
        'variable "v" {\n  type = "map(string)"\n  default = { k = 1 }\n}\n'
        + data(f'{{ path = "{LOCAL}/${{var.v.k == "1" ? "b" : "a"}}/terraform.tfstate" }}'),
        (B,),
    ),
    "null for what may not be null": (
        'variable "v" {\n  nullable = false\n  default = "b"\n}\n'
        + 'module "m" {\n  source = "./m"\n  v = null\n}\n'
        + data(f'{{ path = "{LOCAL}/${{var.v}}/terraform.tfstate" }}'),
        (B,),
    ),
    "a letter and its accent": (
        data(f'{{ path = "{LOCAL}/${{"e\\u0301" == "\\u00e9" ? "b" : "a"}}/terraform.tfstate" }}'),
        (B,),
    ),
    "a data source in a check block": (
        'check "c" {\n' + data(f'{{ path = "{LOCAL}/a/terraform.tfstate" }}') + "}\n",
        (A,),
    ),
    "the default workspace by name": (
        data(f'{{ path = "{LOCAL}/a/terraform.tfstate" }}', more="workspace = terraform.workspace"),
        (A,),
    ),
}


@pytest.mark.parametrize(("text", "expected"), KNOWN.values(), ids=KNOWN)
def test_what_is_known_to_be_read_is_upstream_and_nothing_is_unknown(
    root: Path, text: str, expected: tuple[str, ...]
) -> None:
    found = stack(root, text)
    assert (found.upstream, found.unknown_reads) == (expected, ())
    assert found.upstream_by_name == ({"x": expected} if expected else {})
    assert not found.may_read_any


UNKNOWN = {
    "a variable without a value": (
        'variable "v" {}\n' + data('{ path = "../../shared-infra/${var.v}/terraform.tfstate" }'),
        "its path depends on variable v, which has no value here",
    ),
    "a value of a resource": (
        data('{ path = "${terraform_data.x.output}/terraform.tfstate" }'),
        "its path depends on terraform_data.x.output",
    ),
    "a function that reads a file": (
        data('{ path = file("where.txt") }'),
        r"its path depends on file\(...\)",
    ),
    "a for_each that is not known": (
        'variable "v" {}\n'
        + data('{ path = "../../${each.key}/terraform.tfstate" }', more="for_each = var.v"),
        "its path depends on variable v",
    ),
    "a sensitive variable": (
        'variable "v" {\n  default = "secret"\n  sensitive = true\n}\n' + data("{ path = var.v }"),
        "its path depends on variable v, which is sensitive",
    ),
    "an element of nothing": (
        data("{ path = element([], 0) }"),
        r"its path depends on element\(...\)",
    ),
    "a path of nothing": (
        data("{ path = abspath() }"),
        r"its path depends on abspath\(...\)",
    ),
    "a path that no system has": (
        data('{ path = "a\\u0000b" }'),
        "its path depends on a value that is no text",
    ),
    "a text beside a number": (
        data('{ path = true ? 1 : "a" }'),
        "its path depends on a conditional with results of two types",
    ),
    "a list of two types": (
        'variable "v" {\n  type = list(any)\n  default = [1, "a"]\n}\n'
        + data('{ path = "${var.v[0]}/x" }'),
        "a variable of another type",
    ),
    "a set of numbers": (
        'variable "v" {\n  type = set(number)\n  default = [1, "1"]\n}\n'
        + data('{ path = join("", var.v) }'),
        "a variable of another type",
    ),
    "a very long sum": (
        data(f'{{ path = "${{{"1-" * 3000}1}}" }}'),
        "deep",
    ),
    "a file that is not read here": (
        'data "terraform_remote_state" "x" {\n  [\n}\n',
        "line 2 cannot be read",
    ),
}


@pytest.mark.parametrize(("text", "reason"), UNKNOWN.values(), ids=UNKNOWN)
def test_what_does_not_resolve_is_unknown_and_may_be_of_any_stack(
    root: Path, text: str, reason: str
) -> None:
    found = stack(root, text)
    assert found.upstream == ()
    (why,) = found.unknown_reads
    assert re.search(reason, why), why
    assert "\n" not in why
    assert "secret" not in why.replace("sensitive", "")
    assert found.may_read(A)
    assert found.may_read_any
    # It comes last, though its name is not.
    write_stack(root, "shared-infra/0", text)
    assert Repository(root).stacks()[-2].name == "shared-infra/0"


ELSEWHERE = {
    "another checkout": '{ path = "../../../other/shared-infra/a/terraform.tfstate" }',
    "an absolute path": '{ path = "/srv/shared-infra/a/terraform.tfstate" }',
    "another file beside it": '{ path = "../../shared-infra/a/other.tfstate" }',
}


@pytest.mark.parametrize("config", ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_state_elsewhere_is_unknown_and_is_none_of_ours(root: Path, config: str) -> None:
    found = stack(root, data(config))
    assert found.upstream == ()
    assert "which is the state of no stack here" in found.unknown_reads[0]
    assert not found.may_read_any
    # A stack whose place is not known may be the one.
    (root / A / "override.tf").write_text('terraform {\n  backend "local" {}\n}\n')
    assert stack(root, data(config)).may_read(A)
    assert not stack(root, data(config)).may_read(B)


@pytest.mark.parametrize("workspace", ['"staging"', "var.w"])
def test_another_workspace_is_another_place(root: Path, workspace: str) -> None:
    declared = 'variable "w" {\n  default = "staging"\n}\n'
    more = f"workspace = {workspace}"
    found = stack(root, declared + data(f'{{ path = "{LOCAL}/a/terraform.tfstate" }}', more=more))
    assert found.upstream == ()
    assert "terraform.tfstate.d/staging/terraform.tfstate" in found.unknown_reads[0]


KEY = "ml-infra/shared-infra/a/terraform.tfstate"


@pytest.mark.parametrize(
    ("config", "more", "upstream"),
    [
        (f'{{ bucket = "ours", key = "{KEY}", region = "r" }}', "", (A,)),
        ('{ bucket = "ours", key = "${var.p}/shared-infra/a/terraform.tfstate" }', "", (A,)),
        (f'{{ bucket = "ours", key = "{KEY}", profile = "p" }}', 'workspace = "default"', (A,)),
        (f'{{ bucket = "theirs", key = "{KEY}" }}', "", ()),
        ('{ bucket = "ours", key = "old/shared-infra/a/terraform.tfstate" }', "", ()),
        (f'{{ bucket = "ours", key = "{KEY}" }}', 'workspace = "staging"', ()),
    ],
)
def test_a_bucket_and_a_key_are_one_stack_s(
    root: Path, config: str, more: str, upstream: tuple[str, ...]
) -> None:
    in_bucket(root, A, KEY)
    declared = 'variable "p" {\n  default = "ml-infra"\n}\n'
    found = stack(root, declared + data(config, '"s3"', more))
    assert found.upstream == upstream
    assert bool(found.unknown_reads) == (not upstream)


def test_a_key_that_follows_no_rule_is_found_by_its_place(root: Path) -> None:
    in_bucket(root, A, "any/where")
    found = stack(root, data('{ bucket = "ours", key = "any/where" }', '"s3"'))
    assert (found.upstream, found.unknown_reads) == ((A,), ())


@pytest.mark.parametrize(
    ("file", "text", "env", "upstream"),
    [
        ("terraform.tfvars", 'v = "b"\n', {}, (B,)),
        ("my.auto.tfvars", 'v = "b" # \n', {}, (B,)),
        ("my.auto.tfvars.json", '{"v": "b"}', {"TF_VAR_v": "a"}, (B,)),
        ("other.tfvars", 'v = "b"\n', {}, (A,)),
        ("other.tfvars", "", {"TF_VAR_v": "b"}, (B,)),
        ("other.tfvars", "", {"TF_CLI_ARGS_plan": "-var v=b"}, ()),
        ("other.tfvars", 'v = "b"\n', {"TF_CLI_ARGS": "-var-file=other.tfvars"}, ()),
        ("terraform.tfvars", "v = \n", {}, ()),
    ],
)
def test_a_variable_has_the_value_that_terraform_gives_it(
    root: Path, file: str, text: str, env: dict[str, str], upstream: tuple[str, ...]
) -> None:
    """By Terraform's order of precedence; what comes from an option or a broken file is unknown."""
    (root / "notebooks/n").mkdir()
    (root / "notebooks/n" / file).write_text(text)
    declared = 'variable "v" {\n  type = string\n  default = "a"\n}\n'
    found = stack(
        root, declared + data(f'{{ path = "{LOCAL}/${{var.v}}/terraform.tfstate" }}'), **env
    )
    assert found.upstream == upstream
    assert bool(found.unknown_reads) == (not upstream)


MODULE = 'variable "which" {\n  default = "b"\n}\n' + data(
    '{ path = "${path.module}/../../shared-infra/${var.which}/terraform.tfstate" }'
)


@pytest.mark.parametrize(
    ("call", "upstream"),
    [
        ('source = "../../modules/m"', (B,)),
        ('source = "../../modules/m"\n  which = "a"', (A,)),
        ('source = "../../modules/m"\n  which = each.key\n  for_each = toset(["a", "b"])', (A, B)),
        ('source = "../../modules/outer"', (A,)),
        ('source = "../../modules/m"\n  which = data.aws_x.y.id', ()),
        ('source = "../../modules/${local.m}"', (B,)),
        ('source = var.unknown ? "../../modules/m" : "../../modules/outer"', (A, B)),
        ('source = "../../modules/${var.unknown}"', ()),
        ('source = "git::https://example.com/m.git"', ()),
    ],
)
def test_a_module_reads_for_its_caller(root: Path, call: str, upstream: tuple[str, ...]) -> None:
    write_stack(root, "modules/m", MODULE)
    write_stack(root, "modules/outer", 'module "m" {\n  source = "../m"\n  which = "a"\n}\n')
    text = f'variable "unknown" {{}}\nlocals {{\n  m = "m"\n}}\nmodule "m" {{\n  {call}\n}}\n'
    found = stack(root, text)
    assert found.upstream == upstream
    assert bool(found.unknown_reads) == (not upstream)
    assert found.upstream_in_modules == set(upstream)
    folders, unknown = found.module_folders()
    assert bool(folders) != bool(unknown)


def test_an_installed_module_is_read_where_init_has_put_it(root: Path) -> None:
    text = 'module "m" {\n  source = "git::https://example.com/m.git"\n}\n'
    assert "terraform init" in stack(root, text).unknown_reads[0]
    installed = root / "notebooks/n/.terraform/modules"
    write_stack(installed, "m", data('{ path = "../../shared-infra/a/terraform.tfstate" }'))
    entry = '{"Key": "m", "Source": "git::https://example.com/m.git", "Dir": "%s"}'
    (installed / "modules.json").write_text(f'{{"Modules": [{entry % ".terraform/modules/m"}]}}')
    found = stack(root, text)
    assert (found.upstream, found.unknown_reads) == ((A,), ())


def test_json_is_read_as_hcl_is(root: Path) -> None:
    (root / "notebooks/n").mkdir()
    (root / "notebooks/n/main.tf.json").write_text(
        '{"variable": {"v": {"default": "a"}}, "data": [{"terraform_remote_state": {"x": [{'
        '"backend": "local", "for_each": "${toset([var.v, \\"b\\"])}",'
        '"config": {"path": "${path.module}/../../shared-infra/${each.key}/terraform.tfstate"}'
        "}]}}]}"
    )
    (found,) = [s for s in Repository(root).stacks() if s.name == "notebooks/n"]
    assert (found.upstream, found.unknown_reads) == ((A, B), ())


def test_a_stack_that_reads_its_own_state_is_no_circle(root: Path) -> None:
    found = stack(root, data('{ path = "terraform.tfstate" }'))
    assert found.upstream == ()
    assert found.unknown_reads == ("terraform_remote_state.x reads this stack's own state",)


@pytest.mark.parametrize("values", ["", 'state_bucket = "ours"\nstate_prefix = "team/x"\n'])
def test_the_shipped_roots_resolve_in_full(root: Path, values: str) -> None:
    """The oracle is the layout's own order, as README draws it."""
    for folder in ("shared-infra", "modules", "notebooks"):
        shutil.copytree(REPOSITORY / folder, root / "copy" / folder, symlinks=True)
    common = f'project = "p"\nregion = "eu-west-1"\n{values}'
    (root / "copy/common.auto.tfvars").write_text(common)
    for path in (root / "copy").glob("*/*/"):
        if values and path.parent.name in FOLDERS:
            name = f"{path.parent.name}/{path.name}"
            settings = Backend("ours", "eu-west-1", "file", "team/x")
            (path / "backend.tf").write_text(settings.text(name))
    stacks = {s.path.name: s for s in Repository(root / "copy").stacks()}
    assert {name for name, s in stacks.items() if s.unknown_reads} == set()
    assert stacks["iam"].upstream == ("shared-infra/s3",)
    assert stacks["vpc-endpoints"].upstream == ("shared-infra/security-groups",)
    assert stacks["notebook-dev"].upstream == (
        "shared-infra/iam",
        "shared-infra/s3",
        "shared-infra/security-groups",
        "shared-infra/vpc-endpoints",
    )


def test_stacks_with_one_text_read_by_their_own_values(root: Path) -> None:
    """What was evaluated for one stack is not taken for another with other values."""
    text = 'variable "v" {\n  default = "a"\n}\n' + data(
        '{ path = "../../shared-infra/${var.v}/terraform.tfstate" }'
    )
    for name in ("one", "two"):
        write_stack(root, f"notebooks/{name}", text)
    (root / "notebooks/two/terraform.tfvars").write_text('v = "b"\n')
    stacks = {s.path.name: s.upstream for s in Repository(root).stacks()}
    assert (stacks["one"], stacks["two"]) == ((A,), (B,))
    link = root / "elsewhere/x/link"
    link.parent.mkdir(parents=True)
    link.symlink_to(root / "notebooks/one")
    assert Stack(root / "elsewhere", "x/link").upstream == ()
    write_stack(root, "notebooks/own", reading(A))
    assert Stack(root, "notebooks/own").upstream == (A,)


def test_a_path_of_a_state_leads_through_a_link_as_the_system_follows_it(root: Path) -> None:
    """Terraform opens the path as it is written: ".." after a link is the real parent."""
    write_stack(root, "other/deep/shared-infra/a", "")
    (root / "other/deep/er").mkdir()
    (root / "lnk").symlink_to("other/deep/er")
    reads = stack(root, data('{ path = "../../lnk/../shared-infra/a/terraform.tfstate" }'))
    assert reads.upstream == ()
    assert "the state of no stack here" in reads.unknown_reads[0]


def test_a_module_behind_a_link_reads_from_where_it_really_is(root: Path) -> None:
    path = "${path.module}/../../../shared-infra/a/terraform.tfstate"
    write_stack(root, "far/deep/mod", data(f'{{ path = "{path}" }}'))
    (root / "modules/m").symlink_to("../far/deep/mod")
    reads = stack(root, 'module "m" {\n  source = "../../modules/m"\n}\n')
    assert (reads.upstream, reads.unknown_reads) == ((A,), ())


def test_modules_are_seen_from_where_a_linked_folder_of_stacks_really_is(root: Path) -> None:
    write_stack(root, "else/modules/m", data(f'{{ path = "{LOCAL}/a/terraform.tfstate" }}'))
    write_stack(root, "modules/m", data(f'{{ path = "{LOCAL}/b/terraform.tfstate" }}'))
    (root / "notebooks").rename(root / "else/notebooks")
    (root / "notebooks").symlink_to("else/notebooks")
    (root / "else/shared-infra").symlink_to(root / "shared-infra")
    assert stack(root, 'module "m" {\n  source = "../../modules/m"\n}\n').upstream == (A,)


@pytest.mark.parametrize("number", ["0.00001", "0.1234567890123456789"])
def test_a_number_that_python_has_not_exactly_may_be_of_any_stack(root: Path, number: str) -> None:
    declared = f'variable "rate" {{\n  default = {number}\n}}\n'
    path = "../../shared-infra/a-${var.rate}/terraform.tfstate"
    assert stack(root, declared + data(f'{{ path = "{path}" }}')).may_read_any


def test_a_state_called_otherwise_is_seen_where_a_function_reads_it(root: Path) -> None:
    text = 'terraform {\n  backend "local" {\n    path = "../../states/up.json"\n  }\n}\n'
    write_stack(root, A, text)
    call = 'output "x" {\n  value = jsondecode(file("../../states/up.json")).outputs\n}\n'
    assert stack(root, call).upstream == (A,)


def test_the_path_that_an_init_was_told_is_the_state_s(root: Path) -> None:
    write_stack(root, A, 'terraform {\n  backend "local" {}\n}\n')
    saved = root / A / ".terraform/terraform.tfstate"
    saved.parent.mkdir()
    path = root / "states/up.tfstate"
    saved.write_text(json.dumps({"backend": {"type": "local", "config": {"path": str(path)}}}))
    assert stack(root, data('{ path = "../../states/up.tfstate" }')).upstream == (A,)
