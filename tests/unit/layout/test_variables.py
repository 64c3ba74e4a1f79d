from pathlib import Path

import pytest

from tests.trees import REPOSITORY, write_stack
from tools.errors import UserError
from tools.layout import variables
from tools.layout.stack import Stack

VARIABLES = """
variable "name" {
  type    = string
  default = null
}

variable "size" {
  type    = number
  default = 20
}

variable "owner" {
  type = string
}
"""


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    write_stack(tmp_path, "notebooks/nlp", VARIABLES)
    return Stack(tmp_path, "notebooks/nlp")


def test_a_default_counts_where_no_file_says_otherwise(stack: Stack) -> None:
    assert variables.read_values(stack) == {"name": "nlp", "size": 20}


def test_files_count_in_terraforms_order(stack: Stack) -> None:
    """Each line says which of the values before it the file replaces."""
    for file, text in {
        "terraform.tfvars": 'name = "a"\nsize = 1\nowner = "a"\n',
        "terraform.tfvars.json": '{"name": "b", "size": 2}',
        "a.auto.tfvars.json": '{"name": "c", "size": 3}',
        "b.auto.tfvars": 'name = "d"\n',
        "other.tfvars": 'name = "read by -var-file alone"\n',
    }.items():
        (stack.path / file).write_text(text)
    assert variables.read_values(stack) == {"name": "d", "size": 3, "owner": "a"}


def test_what_is_marked_sensitive_is_not_told(stack: Stack) -> None:
    """These values are shown: by tools status --json, and by what --where says there is."""
    declared = 'variable "password" {\n  type      = string\n  sensitive = true\n}\n'
    (stack.path / "more.tf").write_text(declared)
    (stack.path / "terraform.tfvars").write_text('password = "hunter22"\nowner = "alice"\n')
    assert variables.read_values(stack) == {
        "name": "nlp",
        "owner": "alice",
        "password": "(sensitive value)",
        "size": 20,
    }


def test_a_link_that_leads_nowhere_yet_is_passed_over(stack: Stack) -> None:
    (stack.path / "common.auto.tfvars").symlink_to("../../common.auto.tfvars")
    assert variables.read_values(stack)["size"] == 20


@pytest.mark.parametrize("text", ["{", "[1]"])
def test_names_a_json_file_that_holds_no_values(stack: Stack, text: str) -> None:
    (stack.path / "terraform.tfvars.json").write_text(text)
    with pytest.raises(UserError, match=r"terraform\.tfvars\.json: "):
        variables.read_values(stack)


def test_the_repositorys_own_notebooks_declare_what_their_profiles_say() -> None:
    dev = variables.read_values(Stack(REPOSITORY, "notebooks/notebook-dev"))
    assert (dev["name"], dev["instance_type"], dev["environment"]) == (
        "notebook-dev",
        "ml.t3.medium",
        "dev",
    )
    assert dev["idle_stop_minutes"] == 60
