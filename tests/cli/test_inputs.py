"""What counts as changed, held against `terraform plan -detailed-exitcode` on the same files.

Terraform is the judge: where it says 2, there must be a reason to apply, and where it says 0, there
must be none, and nothing unknown. The forms in which paths are written are in
tests/unit/engine/test_file_reads.py.
"""

import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.trees import write_stack
from tools.engine.records import Records
from tools.layout.repository import Repository
from tools.terraform.binary import Terraform

MODULE = 'output "x" {\n  value = "${file("${path.root}/.in-module")}${file("plain")}"\n}\n'
ROOT = r"""
variable "profile" {}
variable "automatic" {}
variable "option" {}
variable "unused" {
  default = ""
}
locals {
  dir = "${path.module}/../../scripts"
}
module "m" {
  source = "../../modules/m"
}
output "x" {
  value = [
    file("${path.module}/../../scripts/${var.profile}.sh"),
    file("~/id.pub"),
    fileset("../../data", "**"),
    [for name in ["a"] : file("${local.dir}/of-${name}.sh")],
    file("log.pyc"), file("crash.log"), file("x.tfstate.json"),
    fileexists("../../absent") ? file("../../absent") : "",
    templatefile("${path.module}/../../t/a.tpl", {}),
    var.automatic, var.option, module.m.x, "/usr/share", "/proc/self",
  ]
}
output "heredoc" {
  value /* c */ = <<EOT
${~ file("../../t/of-heredoc") ~} $${ only
EOT  
}
"""
# Path from the stack to the text it begins with; every one of them is read.
READ = {
    "../../scripts/dev.sh": "1",
    "../../scripts/of-a.sh": "1",
    "../../home/id.pub": "1",
    "../../data/sub/.hidden": "",
    "../../modules/m/main.tf": MODULE,
    ".in-module": "1",
    "plain": "1",
    "log.pyc": "1",
    "crash.log": "1",
    "x.tfstate.json": "1",
    "../../t/a.tpl": '${file("../../t/of-template")}',
    "../../t/of-template": "1",
    "../../t/of-heredoc": "1",
    "terraform.tfvars": 'profile = "dev"\n',
    ".my.auto.tfvars": "automatic = 1 + 2\n",
    "../../option.tfvars": 'option = ("x")\n',
}
CHANGED = {
    "../../scripts/dev.sh": "2",
    "../../scripts/of-a.sh": "2",
    "../../home/id.pub": "2",
    "../../data/sub/.more": "",
    "../../modules/m/main.tf": MODULE.replace("}${", "}, ${"),
    ".in-module": "2",
    "log.pyc": "2",
    "crash.log": "2",
    "../../absent": "here",
    "../../t/of-template": "2",
    "../../t/of-heredoc": "2",
    ".my.auto.tfvars": "automatic = 1 + 3\n",
    "../../option.tfvars": 'option = ("y")\n',
}
UNREAD = {"../../other/file": "x", "terraform.tfstate.old": "x", ".DS_Store": "x"}


@dataclass(frozen=True)
class Applied:
    """A stack that plain Terraform has applied, with a record of it."""

    directory: Path
    terraform: Terraform

    def records(self) -> Records:
        return Records(Repository(self.directory.parents[1]), self.terraform)

    def run(self, *arguments: str) -> int:
        done = subprocess.run(
            [self.terraform.binary, *arguments, "-input=false", "-no-color"],
            cwd=self.directory,
            env=self.terraform.env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in (0, 2), done.stderr
        return done.returncode

    def reasons(self) -> list[str]:
        records = self.records()
        [stack] = records.stacks
        return records.reasons_to_apply(stack)


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory, terraform: Terraform) -> Applied:
    root = tmp_path_factory.mktemp("inputs")
    for folder in ("shared-infra", "modules"):
        (root / folder).mkdir()
    directory = write_stack(root, "notebooks/n", ROOT)
    for name, text in READ.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)
    options = "-var-file=../../option.tfvars"
    env = {**terraform.env, "HOME": str(root / "home"), "TF_CLI_ARGS_plan": options}
    stack = Applied(directory, replace(terraform, env={**env, "TF_CLI_ARGS_apply": options}))
    stack.run("init")
    stack.run("apply", "-auto-approve")
    records = stack.records()
    records.record_apply(records.stacks[0], records.inputs(records.stacks[0]))
    return stack


@pytest.mark.parametrize("name", [*CHANGED, *UNREAD])
def test_what_counts_as_changed_is_what_terraform_would_change(applied: Applied, name: str) -> None:
    assert applied.reasons() == []
    path = applied.directory / name
    before = path.read_text() if path.exists() else None
    path.parent.mkdir(exist_ok=True)
    path.write_text((CHANGED | UNREAD)[name])
    try:
        would_change = applied.run("plan", "-detailed-exitcode") == 2
        assert would_change is (name in CHANGED)  # or the case shows nothing
        assert bool(applied.reasons()) is would_change
    finally:
        path.unlink() if before is None else path.write_text(before)
