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
    "one of a list whose others have more values than are followed": (
        'variable "v" {}\nlocals {\n  all = ['
        + 'var.v ? "a" : "b", ' * 7
        + f'"{LOCAL}/a"]\n}}\n'
        + data('{ path = "${local.all[7]}/terraform.tfstate" }'),
        (A,),
    ),
    "a type that is short for one of any values": (
        'variable "v" {\n  type = map\n  default = { k = "b" }\n}\n'
        + data(f'{{ path = "{LOCAL}/${{var.v.k}}/terraform.tfstate" }}'),
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
    "a map for a list": (
        'variable "v" {\n  type = list(string)\n  default = { a = "b" }\n}\n'
        + data('{ path = "${var.v["a"]}/x" }'),
        "a variable of another type",
    ),
    "an object without one of its attributes": (
        'variable "v" {\n  type = object({ a = string })\n  default = {}\n}\n'
        + data('{ path = join("/", [for k in ["b"] : lookup(var.v, "a", k)]) }'),
        "a variable of another type",
    ),
    "a type in JSON's way that is none": (
        'variable "v" {\n  type = "map("\n  default = { k = "b" }\n}\n'
        + data('{ path = "${var.v.k}/x" }'),
        "a variable of another type",
    ),
    "an element of a resource": (
        data('{ path = data.external.x.result["path"] }'),
        "its path depends on data.external.x.result",
    ),
    "arguments that are a list": (
        'locals {\n  parts = [["..", ".."], ["shared-infra/a/terraform.tfstate"]]\n}\n'
        + data('{ path = join("/", local.parts...) }'),
        r"its path depends on join\(...\)",
    ),
    "a format that counts its arguments": (
        data('{ path = format("../../shared-infra/%s/terraform.tfstate/%[1]s", "a") }'),
        r"its path depends on format\(...\)",
    ),
    "a regular expression that is none": (
        data('{ path = join("/", regexall("x{2,1}", "a")) }'),
        r"its path depends on regexall\(...\)",
    ),
    "a regular expression that Go does not have": (
        data('{ path = join("/", regexall("a++", "aa")) }'),
        r"its path depends on regexall\(...\)",
    ),
    "a vertical tab, which is a space in Python alone": (
        data('{ path = join("/", regexall("\\\\s", "a\\u000bb")) }'),
        r"its path depends on regexall\(...\)",
    ),
    "matches of nothing, of which Go leaves some out": (
        data('{ path = join("/", regexall("a*", "baa")) }'),
        r"its path depends on regexall\(...\)",
    ),
    "a for with a key that is not known": (
        data(
            '{ path = "../../${each.key}/terraform.tfstate" }',
            more='for_each = { for n in ["a"] : terraform_data.x.output => n }',
        ),
        "its path depends on terraform_data.x.output",
    ),
    "a for with a key that is no text": (
        data(
            '{ path = "../../${each.key}/terraform.tfstate" }',
            more='for_each = { for n in ["a"] : [n] => n }',
        ),
        "its path depends on a key that is no text",
    ),
    "a count that is not known": (
        'variable "v" {}\n'
        + data('{ path = "../../${count.index}/terraform.tfstate" }', more="count = var.v"),
        "its path depends on its count",
    ),
    "a config that is not known": (
        data("terraform_data.x.output"),
        "its config depends on terraform_data.x.output",
    ),
    "a config that is no object": (data('"a"'), "its backend and its config do not go together"),
    "a config of another backend": (
        data('{ bucket = "b", key = "k" }'),
        "its backend and its config do not go together",
    ),
    "a bucket in a store of its own": (
        data('{ bucket = "b", key = "k", endpoints = { s3 = "http://x" } }', '"s3"'),
        "it is in a store with an endpoint of its own",
    ),
    "more choices than are followed": (
        'variable "v" {}\n' + data('{ path = "' + '${var.v ? "a" : "b"}' * 7 + '" }'),
        "its path depends on more values than are followed here",
    ),
    "a long way through locals": (
        data("{ path = local.n0 }")
        + "locals {\n"
        + "".join(f"  n{n} = local.n{n + 1}\n" for n in range(500))
        + '  n500 = "../../shared-infra/a/terraform.tfstate"\n}\n',
        "its path depends on an expression that is too deep",
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


BLOCK = b'data "terraform_remote_state" "x" {\n  backend = "local"\n}\n'
DEEP = b"[" * 5000 + b"]" * 5000


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("main.tf", BLOCK + b"# \xff", f"not UTF-8 at byte {len(BLOCK) + 2}"),
        (
            "main.tf",
            b'# source\nmodule {\n  source = "./m"\n}\n',
            "a module block without its name",
        ),
        ("main.tf.json", b'{\n  "data": {"terraform_remote_state": ', "not valid JSON at line 2"),
        (
            "main.tf.json",
            b'{"data": {"terraform_remote_state": 1}}',
            "a block that is not an object",
        ),
        ("main.tf.json", b'{"data": {"terraform_remote_state": %s}}' % DEEP, "nested too deeply"),
    ],
)
def test_a_file_that_cannot_be_read_may_read_any_state(
    root: Path, name: str, content: bytes, reason: str
) -> None:
    (root / "notebooks/n").mkdir()
    (root / "notebooks/n" / name).write_bytes(content)
    (found,) = [s for s in Repository(root, env={"PATH": ""}).stacks() if s.name == "notebooks/n"]
    (why,) = found.unknown_reads
    assert why.startswith(f"{name}: {reason}")
    assert found.may_read_any


def test_what_is_in_a_backend_of_another_kind_is_no_state_of_ours(root: Path) -> None:
    found = stack(root, data('{ bucket = "b", prefix = "shared-infra/a" }', '"gcs"'))
    assert found.upstream == ()
    (why,) = found.unknown_reads
    assert why.endswith(": what is in a backend gcs is not known here")
    assert not found.may_read_any
    # A stack whose own backend is not known may have its state there.
    (root / A / "backend.tf").write_text('terraform {\n  backend "gcs" {}\n}\n')
    assert stack(root, data('{ bucket = "b" }', '"gcs"')).may_read(A)


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


def test_a_backend_with_a_local_of_another_file_is_followed(root: Path) -> None:
    """OpenTofu evaluates them early: https://opentofu.org/docs/language/settings/backends/configuration/"""
    (root / A / "backend.tf").write_text(
        'terraform {\n  backend "local" {\n    path = "${local.folder}/up.tfstate"\n  }\n}\n'
    )
    (root / A / "main.tf").write_text('locals {\n  folder = "../../states"\n}\n')
    found = stack(root, data('{ path = "../../states/up.tfstate" }'))
    assert (found.upstream, found.unknown_reads) == ((A,), ())
    # Without a value the state may be anywhere, and so the one that is read.
    (root / A / "main.tf").write_text('variable "x" {}\nlocals {\n  folder = var.x\n}\n')
    found = stack(root, data('{ path = "../../states/up.tfstate" }'))
    assert found.upstream == ()
    assert found.may_read(A)
    assert not found.may_read(B)


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
        ("other.tfvars", 'w = "b"\n', {"TF_CLI_ARGS": "-var-file=other.tfvars"}, (A,)),
        ("other.tfvars", "w = \n", {"TF_CLI_ARGS": "-var-file=other.tfvars"}, ()),
        ("other.tfvars", "", {"TF_CLI_ARGS": "-var-file=gone.tfvars"}, ()),
        ("terraform.tfvars", "v = \n", {}, ()),
        ("terraform.tfvars", 'v = "b" # \udcff\n', {}, ()),
        ("terraform.tfvars", 'v = "\\ud83d"\n', {}, ()),
        ("terraform.tfvars.json", '{"v": "b"', {}, ()),
        ("terraform.tfvars.json", '{"v": "a", "v": "b"}', {}, ()),
        ("terraform.tfvars.json", '[{"v": "b", "w": "c"}]', {}, ()),
        ("terraform.tfvars.json", f'{{"v": {DEEP.decode()}}}', {}, ()),
    ],
)
def test_a_variable_has_the_value_that_terraform_gives_it(
    root: Path, file: str, text: str, env: dict[str, str], upstream: tuple[str, ...]
) -> None:
    """By Terraform's order of precedence; what comes from an option or a broken file is unknown."""
    (root / "notebooks/n").mkdir()
    (root / "notebooks/n" / file).write_text(text, errors="surrogateescape")
    declared = 'variable "v" {\n  type = string\n  default = "a"\n}\n'
    found = stack(
        root, declared + data(f'{{ path = "{LOCAL}/${{var.v}}/terraform.tfstate" }}'), **env
    )
    assert found.upstream == upstream
    assert bool(found.unknown_reads) == (not upstream)


@pytest.mark.parametrize(
    ("text", "upstream"), [('["b"]', (B,)), ("[b", ()), ('["b"] ["a"]', ()), ("[file]", ())]
)
def test_a_list_in_the_environment_is_an_expression(
    root: Path, text: str, upstream: tuple[str, ...]
) -> None:
    """https://developer.hashicorp.com/terraform/cli/config/environment-variables#tf_var_name"""
    declared = 'variable "v" {\n  type = list(string)\n  default = ["a"]\n}\n'
    path = f"{LOCAL}/${{var.v[0]}}/terraform.tfstate"
    found = stack(root, declared + data(f'{{ path = "{path}" }}'), TF_VAR_v=text)
    assert found.upstream == upstream
    assert found.may_read_any == (not upstream)


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
    # Added since the last init.
    (unknown,) = stack(root, text.replace('"m"', '"added"')).unknown_reads
    assert unknown.startswith("module.added: git::https://example.com/m.git is not installed here")


FORWARD = "{ for k, s in data.terraform_remote_state.x : upper(k) => s.outputs }"


@pytest.mark.parametrize(
    ("value", "more", "output"),
    [
        (FORWARD, "", "module.m.up.A"),
        (FORWARD, "count = 1", ""),
        (FORWARD.replace("s.outputs", "s.outputs.id"), "", ""),
        (FORWARD.replace("k, s", "s").replace("upper(k)", '"A"'), "", ""),
        (FORWARD.replace("s.outputs", 's.outputs if k != "b"'), "", ""),
        (FORWARD.replace("data.terraform_remote_state.x", "local.x"), "", ""),
        ('merge(data.terraform_remote_state.x["a"].outputs)', "", ""),
    ],
)
def test_a_module_hands_on_the_outputs_of_a_state_under_its_key_or_just_reads_it(
    root: Path, value: str, more: str, output: str
) -> None:
    """What is handed on is compared by the outputs that the root uses, the other as a whole."""
    path = f"{LOCAL}/${{each.key}}/terraform.tfstate"
    states = data(f'{{ path = "{path}" }}', more='for_each = toset(["a"])')
    local = "locals {\n  x = data.terraform_remote_state.x\n}\n"
    write_stack(root, "modules/m", f'{states}{local}output "up" {{\n  value = {value}\n}}\n')
    found = stack(root, f'module "m" {{\n  source = "../../modules/m"\n  {more}\n}}\n')
    assert found.upstream == (A,)
    assert found.upstream_by_output == ({output: (A,)} if output else {})
    assert found.upstream_in_modules == (set() if output else {A})


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


def test_half_of_a_surrogate_pair_in_json_is_another_place(root: Path) -> None:
    """Terraform 1.11.4 reads "\\ud83d" as U+FFFD; such a pair is one character."""
    state = '{"backend": "local", "config": {"path": "%s"}}'
    read = f'{{"data": {{"terraform_remote_state": {{"x": {state}}}}}}}'
    path = "../../shared-infra/a%s/terraform.tfstate"
    for name, written in {"notebooks/n": "\\ud83d", "notebooks/o": "\\uD83D\\uDE00"}.items():
        (root / name).mkdir(parents=True)
        (root / name / "main.tf.json").write_text(read % (path % written))
    place = '{"terraform": {"backend": {"local": {"path": "\\uddff.tfstate"}}}}'
    write_stack(root, "shared-infra/a\U0001f600", "")
    (root / B / "backend.tf.json").write_text(place)
    found = {stack.name: stack for stack in Repository(root).stacks()}
    assert found["notebooks/n"].upstream == ()
    [why] = found["notebooks/n"].unknown_reads
    assert "a\ufffd/terraform.tfstate, which is the state of no stack here" in why
    assert found["notebooks/o"].upstream == ("shared-infra/a\U0001f600",)
    assert not found["notebooks/o"].unknown_reads


def test_blocks_of_one_name_in_json_both_count(root: Path) -> None:
    """As Terraform was seen to take them: https://github.com/hashicorp/hcl/blob/main/json/spec.md"""
    block = (
        '"data": {"terraform_remote_state": {"%s": {"backend": "local", "config": {"path": "%s"}}}}'
    )
    blocks = (block % (n, f"../../shared-infra/{n}/terraform.tfstate") for n in ("a", "b"))
    (root / "notebooks/n").mkdir()
    (root / "notebooks/n/main.tf.json").write_text(f'{{"//": "a comment", {", ".join(blocks)}}}')
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


@pytest.mark.parametrize("number", ["0.00001", "0.1234567890123456789", "1" * 160])
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
