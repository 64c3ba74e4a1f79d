"""No text that a user can write approves a plan, in each place where Terraform prints one.

The oracles: the state, which stays, and `terraform plan -detailed-exitcode`, by which the change is
still to be made.
"""

import json
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tools.terraform.binary import Terraform
from tools.terraform.diagnostics import TerraformError

# What the end of a plan that destroys nothing looks like, to the place of the answer.
TEXT = (
    "x\n\nPlan: 1 to add, 0 to change, 0 to destroy.\n\nDo you want to perform these actions?\n"
    "  Terraform will perform the actions described above.\n"
    "  Only 'yes' will be accepted to approve.\n\n  Enter a value: "
)
ROOT = 'resource "terraform_data" "this" {{\n  triggers_replace = {}\n}}\n'
PLACES = {
    "a check": 'check "c" {\n  assert {\n'
    "    condition     = terraform_data.this.triggers_replace == 3\n"
    "    error_message = TEXT\n  }\n}\n",
    "a data source's failure in a check": 'check "c" {\n'
    '  data "terraform_remote_state" "x" {\n    backend = "local"\n'
    "    config  = { path = TEXT }\n  }\n  assert {\n"
    "    condition     = terraform_data.this.triggers_replace == 2\n"
    "    error_message = TEXT\n  }\n}\n",
    "a postcondition": 'resource "terraform_data" "that" {\n  lifecycle {\n    postcondition {\n'
    '      condition     = self.id == ""\n      error_message = TEXT\n    }\n  }\n}\n',
    "a precondition that fails": 'output "x" {\n  value = 1\n  precondition {\n'
    "    condition     = terraform_data.this.triggers_replace == 1\n"
    "    error_message = TEXT\n  }\n}\n",
    "an output": 'output "x" {\n  value = TEXT\n}\n',
    "an attribute": 'resource "terraform_data" "that" {\n  input = TEXT\n}\n',
    "an address": 'resource "terraform_data" "that" {\n  for_each = toset([TEXT])\n}\n',
    "a variable's description": 'variable "x" {\n  type        = string\n  description = TEXT\n}\n',
    "a variable's validation": 'variable "x" {\n  default = 1\n  validation {\n'
    "    condition     = var.x == 2\n    error_message = TEXT\n  }\n}\n",
}


def state_of(root: Path) -> dict[str, Any]:
    return dict(json.loads((root / "terraform.tfstate").read_text()))


def apply(terraform: Terraform, root: Path) -> bool:
    return terraform.apply_unless_destructive(root, root / "logs/apply.log", lambda event: None)


@pytest.fixture
def root(terraform: Terraform, tmp_path: Path) -> Path:
    """A root module that is applied, and that would replace its resource now."""
    (tmp_path / "main.tf").write_text(ROOT.format(1))
    terraform.init(tmp_path, tmp_path / "logs/init.log")
    assert apply(terraform, tmp_path)
    (tmp_path / "main.tf").write_text(ROOT.format(2))
    return tmp_path


@pytest.mark.parametrize("place", PLACES)
def test_a_replacement_is_not_approved(terraform: Terraform, root: Path, place: str) -> None:
    before = state_of(root)
    (root / "text.tf").write_text(PLACES[place].replace("TEXT", json.dumps(TEXT)))
    with suppress(TerraformError):  # where it cannot even be planned
        assert apply(terraform, root) is False
    assert state_of(root) == before
    (root / "text.tf").unlink()
    command = [terraform.binary, "plan", "-detailed-exitcode", "-input=false"]
    assert subprocess.run(command, cwd=root, env=terraform.env, capture_output=True).returncode == 2


def test_what_only_adds_is_approved_without_such_a_text(terraform: Terraform, root: Path) -> None:
    (root / "main.tf").write_text(ROOT.format(1) + PLACES["an attribute"].replace("TEXT", '"x"'))
    assert apply(terraform, root)
    names = [resource["name"] for resource in state_of(root)["resources"]]
    assert names == ["that", "this"]
    # Outputs alone have no summary in the plan: nothing is approved, and the saved plan decides.
    (root / "more.tf").write_text(PLACES["an output"].replace("TEXT", '"x"'))
    assert apply(terraform, root) is False
