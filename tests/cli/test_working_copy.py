"""The local cloud's working copy, by what real Terraform reads in it and leaves there."""

import json

from tests.cli.conftest import Checkout
from tests.trees import write_stack

READS = """
resource "terraform_data" "script" {
  input = file("${path.module}/../../scripts/start.sh")
}
output "script" {
  value = terraform_data.script.output
}
"""


def test_a_stack_reads_any_file_and_outlives_its_directory_as_an_orphan(small: Checkout) -> None:
    directory = write_stack(small.root, "notebooks/n", READS)
    script = small.root / "scripts/start.sh"
    script.parent.mkdir()
    script.write_text("echo start")
    work = small.root / ".tools/local/workspace/notebooks/n"

    done = small.tools("deploy", "--local")
    assert done.returncode == 0, done.stderr
    state = json.loads((work / "terraform.tfstate").read_text())
    assert state["outputs"]["script"]["value"] == "echo start"

    (directory / "main.tf").unlink()
    directory.rmdir()
    listed = json.loads(small.tools("list", "--local", "--json").stdout)
    assert [(row["stack"], row["status"]) for row in listed] == [("notebooks/n", "orphan")]
    done = small.tools("destroy", "--local", "--orphan", "n", "--yes")
    assert done.returncode == 0, done.stderr
    assert json.loads((work / "terraform.tfstate").read_text())["resources"] == []
    assert json.loads(small.tools("list", "--local", "--json").stdout) == []
    assert not work.exists()
