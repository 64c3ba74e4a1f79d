"""What a local makes of files: the guard of modules/common says the same here as in Terraform.

tests/remote_state/test_guard.py runs Terraform on a few of these.
"""

import json
import os
import posixpath
from pathlib import Path

import pytest

from tests.trees import copy_repository, write_stack
from tools.engine.file_reads import FileReader
from tools.engine.file_values import FileValues
from tools.engine.module_scope import ModuleReferences, ModuleScope
from tools.engine.read_collector import FileReads
from tools.hcl.evaluation import Unknown, Value
from tools.hcl.file_references import read_references

CALL = 'module "common" {\n  source = "../../modules/common"\n  project = "p"\n  region = "r"\n}\n'
ITS = "p/notebooks/two/terraform.tfstate"
BLOCK = 'terraform {\n  backend "s3" {\n    key = "%s"\n  }\n}\n'
STATE = '{"resources": [{"attributes": {"tags": {}, "tags_all": {"Owner": "a", "Stack": "%s"}}}]}'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    copy_repository(tmp_path, "modules/common")
    write_stack(tmp_path, "notebooks/one", CALL)
    return tmp_path


def read(root: Path, stack: str = "notebooks/one") -> FileReads:
    found = FileReader(str(root), dict(os.environ)).read(f"{root}/{stack}")
    assert not found.unknown
    return found


def value(root: Path, local: str) -> Value:
    """What a local of the guard is for notebooks/one."""
    guard = root / "modules/common/guard.tf"
    module_refs = ModuleReferences.merge({"guard.tf": read_references(guard.read_bytes(), False)})
    one = f"{root}/notebooks/one"
    scope = ModuleScope(module_refs, "../../modules/common", one)
    return FileValues(scope, lambda path: posixpath.normpath(posixpath.join(one, path))).local(
        local
    )


FOREIGN_KEYS = {
    "in a file of its own": {"backend.tf": BLOCK % ITS},
    "as a user wrote it": {
        "versions.tf": 'terraform {\n  required_version = ">= 1.0"\n\n  backend "s3" {\n'
        f'    bucket         = "b"\n    key            = "{ITS}"\n    encrypt        = true\n'
        '    assume_role = {\n      role_arn = "r"\n    }\n  }\n}\n'
    },
    "after a commented key": {
        "x.tf": BLOCK.replace("key", '# key = "p/notebooks/one/terraform.tfstate"\n    key') % ITS
    },
    "in JSON": {"x.tf.json": json.dumps({"terraform": {"backend": {"s3": {"key": ITS}}}})},
    "in JSON with lists": {
        "x.tf.json": json.dumps({"terraform": [{"backend": [{"s3": [{"key": ITS}]}]}]})
    },
    "for OpenTofu": {"x.tofu": BLOCK % ITS},
    "after a comment in its line": {"x.tf": (BLOCK % ITS).replace("backend", "/* ours */ backend")},
    "after a comment in the key's line": {"x.tf": (BLOCK % ITS).replace("key", "/* ours */ key")},
    "with a comment before its label": {"x.tf": (BLOCK % ITS).replace(' "s3"', ' /* a\nb */ "s3"')},
    "without a space": {"x.tf": (BLOCK % ITS).replace(' "s3" ', '"s3"')},
    "without quotes": {"x.tf": (BLOCK % ITS).replace('"s3"', "s3")},
    "between strings with signs of comments": {
        "x.tf": 'locals {\n  a = "s3:::b/*"\n  b = "http://c"\n  d = "#"\n}\n'
        f'{BLOCK % ITS}locals {{\n  e = "*/"\n}}\n'
    },
}
OWN_KEYS = {
    "its own": {"versions.tf": BLOCK % "p/notebooks/one/terraform.tfstate"},
    "by another rule": {"versions.tf": BLOCK % "teams/two.tfstate"},
    "in comments": {
        "x.tf": f"/*\n{BLOCK % ITS}*/\n" + "".join(f"# {line}\n" for line in BLOCK.splitlines())
    },
    "in a comment that begins late": {"x.tf": f"locals {{ /*\n{BLOCK % ITS}*/ }}\n"},
    "in a string": {
        "x.tf": f"locals {{\n  a = {json.dumps((BLOCK % ITS).replace(chr(10), ' '))}\n}}\n"
    },
    "in no backend": {"x.tf": f'locals {{\n  key = "{ITS}"\n}}\n'},
    "in a hidden file": {".x.tf": BLOCK % ITS},
    "in no configuration": {"x.txt": BLOCK % ITS},
}


@pytest.mark.parametrize("files", FOREIGN_KEYS.values(), ids=FOREIGN_KEYS)
def test_a_backend_of_another_stack_is_seen(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / "notebooks/one" / name).write_text(text)
    assert value(root, "foreign_keys") == ["notebooks/two"]


@pytest.mark.parametrize("files", OWN_KEYS.values(), ids=OWN_KEYS)
def test_no_other_text_is_taken_for_one(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / "notebooks/one" / name).write_text(text)
    assert value(root, "foreign_keys") == []


def test_the_first_apply_changes_nothing_that_a_plan_reads(root: Path) -> None:
    before = read(root).files
    state = root / "notebooks/one/terraform.tfstate"
    state.write_text(STATE % "notebooks/one")
    assert read(root).files == before
    # Its own among others, as after a `terraform state mv`:
    state.write_text(STATE % "notebooks/two" + STATE % "notebooks/one")
    assert read(root).files == before
    assert value(root, "foreign_states") == []
    state.write_text(STATE % "notebooks/two")
    assert read(root).files != before
    assert value(root, "foreign_states") == ["notebooks/two"]
    # What is in a bucket is known by its key, whatever is left here:
    backend = root / "notebooks/one/backend.tf"
    backend.write_text(BLOCK % "p/notebooks/one/terraform.tfstate")
    assert value(root, "foreign_states") == []


LOCAL = 'terraform {\n  backend "local" {\n    %s = "%s"\n  }\n}\n'
# Where a state may be besides, by Terraform's documentation of the backend "local": files beside
# the state's own, and the state's place.
ELSEWHERE = {
    "in a workspace": ({".terraform/environment": "x"}, "terraform.tfstate.d/x/terraform.tfstate"),
    "in a workspace of a folder": (
        {".terraform/environment": "x", "v.tf": LOCAL % ("workspace_dir", "../s")},
        "../s/x/terraform.tfstate",
    ),
    "at a path": ({"versions.tf": LOCAL % ("path", "../s/two.tfstate")}, "../s/two.tfstate"),
    "at a path in JSON": (
        {"x.tf.json": json.dumps({"terraform": {"backend": {"local": {"path": "s/t"}}}})},
        "s/t",
    ),
}


@pytest.mark.parametrize(("files", "place"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_state_elsewhere_is_seen(root: Path, files: dict[str, str], place: str) -> None:
    one = root / "notebooks/one"
    # This one is not used, whatever it says.
    for name, text in {**files, place: "{}", "terraform.tfstate": STATE % "notebooks/two"}.items():
        (one / name).parent.mkdir(parents=True, exist_ok=True)
        (one / name).write_text(text)
    assert value(root, "foreign_states") == []
    (one / place).write_text(STATE % "notebooks/one")
    assert value(root, "foreign_states") == []
    (one / place).write_text(STATE % "notebooks/two")
    assert value(root, "foreign_states") == ["notebooks/two"]


def test_an_absolute_path_of_a_state_is_taken_as_it_is(root: Path) -> None:
    (root / "two.tfstate").write_text(STATE % "notebooks/two")
    (root / "notebooks/one/v.tf").write_text(LOCAL % ("path", root / "two.tfstate"))
    assert value(root, "foreign_states") == ["notebooks/two"]


def test_a_file_that_a_block_names_may_be_the_originals_and_is_not_to_be_deleted(
    root: Path,
) -> None:
    (root / "notebooks/one/v.tf").write_text(LOCAL % ("path", "../two/terraform.tfstate"))
    (root / "notebooks/two").mkdir()
    (root / "notebooks/two/terraform.tfstate").write_text(STATE % "notebooks/two")
    assert value(root, "holds") == "a backend block that names the state"
    assert value(root, "undo") == "delete that block and .terraform"


def test_a_local_that_shows_what_each_apply_changes_stays_unknown(root: Path) -> None:
    text = 'locals {\n  state = try(file("${path.root}/terraform.tfstate"), "")\n}\n'
    (write_stack(root, "notebooks/n", text) / "terraform.tfstate").write_text("{}")
    first = FileReader(str(root), {}).read(f"{root}/notebooks/n").files
    (root / "notebooks/n/terraform.tfstate").write_text("{ }")
    assert FileReader(str(root), {}).read(f"{root}/notebooks/n").files != first


def test_every_shipped_root_is_known_before_and_after_its_apply(tmp_path: Path) -> None:
    folders = ("modules", "shared-infra", "notebooks", "bootstrap")
    copy_repository(tmp_path, *folders, "common.auto.tfvars")  # its comment ends with three dots
    roots = [p.parent for p in sorted(tmp_path.glob("*/*/main.tf")) if "modules" not in str(p)]
    assert len(roots) >= 6
    for root in [*roots, tmp_path / "bootstrap"]:
        name = str(root.relative_to(tmp_path))
        before = read(tmp_path, name).files
        (root / "terraform.tfstate").write_text(STATE % name)
        assert read(tmp_path, name).files == before


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('try(file("there"), "x")', "its text"),
        ('try(file("gone"), "x")', "x"),
        ('try(try(file("gone"), file("gone too")), "x")', "x"),
        ('try(file(var.of ? "gone" : "there"), "x")', None),  # its text, or x
        ('try(file(var.of ? "gone" : "gone too"), "x")', "x"),
        ('try(file("gone"))', None),
    ],
)
def test_try_takes_the_first_argument_that_terraform_does_not_refuse(
    tmp_path: Path, expression: str, expected: str | None
) -> None:
    """https://developer.hashicorp.com/terraform/language/functions/try"""
    (tmp_path / "there").write_text("its text")
    text = f'variable "of" {{}}\nlocals {{\n  a = {expression}\n}}\n'
    module_refs = ModuleReferences.merge({"main.tf": read_references(text.encode(), is_json=False)})
    scope = ModuleScope(module_refs, ".", str(tmp_path))
    found = FileValues(scope, lambda path: posixpath.join(tmp_path, path)).local("a")
    assert found == expected if expected else isinstance(found, Unknown)
