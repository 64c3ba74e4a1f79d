"""Values in the stacks' files: in their place, never over somebody's word."""

from pathlib import Path

import pytest

from tests.trees import write_stack
from tools.errors import UserError
from tools.hcl import reading
from tools.imports.tfvars import ValuesEdit, plan_edits
from tools.layout.repository import Repository
from tools.localcloud import workspace
from tools.system import files

STACK = "shared-infra/x"
VARIABLES = """
variable "name" {
  default = null
}
variable "names" {
  default = {}
}
variable "interface_services" {
  default = ["ec2"]
}
variable "other" {
  default = "o"
}
"""


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    for folder in ("shared-infra", "modules", "notebooks"):
        (tmp_path / folder).mkdir()
    write_stack(tmp_path, STACK, VARIABLES)
    return Repository(tmp_path)


def tfvars(repository: Repository, name: str = "terraform.tfvars") -> Path:
    return repository.root / STACK / name


def write(edit: ValuesEdit) -> None:
    files.write(edit.path, edit.after)


def test_values_are_added_to_what_a_file_says(repository: Repository) -> None:
    path = tfvars(repository)
    path.write_text('# ours\nother = "p" # kept\nnames = { a = "1" }\n')
    wanted = {STACK: {"name": "n", "names": {"b": "2"}, "interface_services": ["logs"]}}
    (edit,) = plan_edits(repository, wanted, local=False)
    assert path.read_text().startswith("# ours")
    write(edit)
    assert '# ours\nother = "p" # kept\n' in path.read_text()
    assert reading.read_tfvars(path) == {
        "other": "p",
        "names": {"a": "1", "b": "2"},
        "name": "n",
        "interface_services": ["ec2", "logs"],
    }
    assert plan_edits(repository, wanted, local=False) == []


def test_what_holds_by_default_is_not_written(repository: Repository) -> None:
    wanted = {STACK: {"interface_services": ["ec2"], "other": "o"}}
    assert plan_edits(repository, wanted, local=False) == []
    assert not tfvars(repository).exists()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('name = "mine"', 'name must be "n", but is "mine"; change it there first'),
        ('names = { a = "0" }', 'names.a must be "1", but is "0"'),
        ("name = null # on purpose", 'name must be "n", but is null; change it there'),
        ('name = ""', 'name must be "n", but is ""; change it there first'),
        ("names = {}", 'names must be {"a": "1"}, but is {}'),
        (
            "interface_services = [] # none",
            r'interface_services must be \["logs"\], but is \[\]',
        ),
    ],
)
def test_somebody_s_other_value_is_refused(repository: Repository, text: str, reason: str) -> None:
    tfvars(repository).write_text(f"{text}\n")
    wanted = {"name": "n", "names": {"a": "1"}, "interface_services": ["logs"]}
    with pytest.raises(UserError, match=reason) as refused:
        plan_edits(repository, {STACK: wanted}, local=False)
    assert str(refused.value).startswith(str(tfvars(repository)))


@pytest.mark.parametrize(
    "text",
    [
        'interface_services = ["ec2"] # no more\n',
        'interface_services = [\n  # for the drivers\n  "ec2",\n]\n',
        'interface_services = [/* drivers */ "ec2"]\n',
    ],
)
def test_comments_in_what_would_grow_are_not_lost(repository: Repository, text: str) -> None:
    tfvars(repository).write_text(f"# ours\n{text}# and more\n")
    reason = r'comments on the lines of interface_services would be lost; add \["logs"\] to it'
    with pytest.raises(UserError, match=reason):
        plan_edits(repository, {STACK: {"interface_services": ["logs"]}}, local=False)
    tfvars(repository).write_text('# ours\ninterface_services = ["#"]\n# and more\n')
    (edit,) = plan_edits(repository, {STACK: {"interface_services": ["logs"]}}, local=False)
    assert edit.after == '# ours\ninterface_services = ["#", "logs"]\n# and more\n'


@pytest.mark.parametrize("name", ["a.auto.tfvars", "terraform.tfvars.json"])
def test_a_file_that_has_the_last_word_is_named(repository: Repository, name: str) -> None:
    own = tfvars(repository, name)
    own.write_text('{"names": {"a": "1"}}' if name.endswith("json") else 'names = { a = "1" }\n')
    with pytest.raises(UserError, match=f"{name} sets names and overrides terraform.tfvars"):
        plan_edits(repository, {STACK: {"names": {"b": "2"}}}, local=False)


def test_in_the_local_cloud_s_copy_nothing_of_an_account_comes_back(
    repository: Repository, tmp_path: Path
) -> None:
    """What stood in for a value of theirs becomes the copy's, with what is written to it."""
    write_stack(repository.root, STACK, 'variable "vpc_id" {}\nvariable "subnet_ids" {}\n')
    theirs = 'vpc_id     = "vpc-0a1b2c3d4e5f67890"\nsubnet_ids = ["subnet-0a1b2c3d4e5f67890"]\n'
    tfvars(repository).write_text(theirs)
    copy = workspace.refresh(repository, tmp_path / "copy")
    (edit,) = plan_edits(copy, {STACK: {"vpc_id": "vpc-00000000"}}, local=True)
    write(edit)
    workspace.keep_values(copy.root / STACK)
    again = workspace.refresh(repository, tmp_path / "copy")
    assert reading.read_tfvars(again.root / STACK / "terraform.tfvars") == {
        "vpc_id": "vpc-00000000",
        "subnet_ids": [],
    }
    assert workspace.stand_ins(again.root / STACK) == {}
    assert tfvars(repository).read_text() == theirs
