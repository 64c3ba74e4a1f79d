"""Roots, their files and what they read: held against a Terraform that is run by itself."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Checkout
from tests.cli.test_changes import work
from tests.cli.test_deploy import RESOURCE
from tests.trees import reading, write_stack
from tools.hcl.configuration import read_pieces
from tools.hcl.evaluation import Scope, evaluate
from tools.layout import files
from tools.layout.reads import Reader
from tools.terraform.binary import Terraform

FILES = ("a.tf", ".a.tf", "a.tf~", "#a.tf#", "b.tf", "b.tf.bak", "c.tf.json", ".c.tf.json")
MORE = ("a.tofu", "c.tofu.json", "d.tofu")  # which OpenTofu reads
EXPRESSIONS = """\
locals {
  names = ["b", "a"]
  where = { one = "x/y", two = "${upper("z")}-%%{1}" }
}
output "v" {
  value = {
    a = local.where[true ? "one" : "two"]
    b = "${local.where.two}/${length(local.names)}"
    c = toset(concat(local.names, ["a"]))
    d = { for i, n in local.names : n => i if n != "b" }
    e = format("%s-%d%%", "x", 1 + 2 * 3)
    f = coalesce(null, "", "y")
    g = merge({ a = 1, b = 2 }, { b = "3" })
    h = [!false && 1 < 2, "1" == "1", null == null, -1 * 2 == -2]
    i = dirname("a/b/") == "a/b" ? basename("a/b/") : dirname("a/b/")
    j = <<-EOT
      x ${local.names[0]}
        "y"
    EOT
    k = join("/", split(",", "a,b"), [trimspace(" c "), replace("d.e", ".", "_")])
    l = lookup({ a = "b" }, "c", trimprefix("ab", "a"))
    m = "$${x} \\u00e4 \\"q\\" ${"in ${"side"}"}"
    n = [for k, v in { z = 1, y = 2 } : "${k}${v}"]
    o = element(["a", "b"], 3)
    r = { for k, v in toset(["y", "x"]) : k => v }
    p = values({ b = 1, a = 2 }) # a comment
    q = /* one */ startswith("abc", "ab")
  }
}
"""


def run(terraform: Terraform, directory: Path, *arguments: str) -> None:
    done = subprocess.run(
        [terraform.binary, *arguments],
        cwd=directory,
        env=terraform.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def outputs(directory: Path, name: str = "terraform.tfstate") -> dict[str, Any]:
    state = json.loads((directory / name).read_text())
    return {name: output["value"] for name, output in state["outputs"].items()}


def apply(terraform: Terraform, directory: Path) -> dict[str, Any]:
    run(terraform, directory, "init", "-input=false")
    run(terraform, directory, "apply", "-auto-approve", "-input=false")
    return outputs(directory)


def test_the_program_reads_these_files_and_no_others(terraform: Terraform, tmp_path: Path) -> None:
    names = {f"o{number}": name for number, name in enumerate([*FILES, *MORE])}
    for output, name in names.items():
        block = {"output": {output: {"value": name}}}
        text = json.dumps(block) if "json" in name else f'output "{output}" {{\n  value = 1\n}}\n'
        (tmp_path / name).write_text(text)
    read = [names[output] for output in apply(terraform, tmp_path)]
    tofu = terraform.product == "OpenTofu"
    assert [path.name for path in files.tf_files(tmp_path, tofu)] == sorted(read)


def test_expressions_have_the_values_that_terraform_gives_them(
    terraform: Terraform, tmp_path: Path
) -> None:
    (tmp_path / "main.tf").write_text(EXPRESSIONS)
    expected = apply(terraform, tmp_path)["v"]
    pieces = read_pieces(
        re.sub(r'output "v" {\s+value', "locals {\n  v", EXPRESSIONS).encode(), False
    )

    def lookup(kind: str, name: str) -> Any:
        return evaluate(pieces["locals"][name], Scope(lookup)) if kind == "local" else None

    (actual,) = evaluate(pieces["locals"]["v"], Scope(lookup))
    assert actual.keys() == expected.keys()
    for name, value in expected.items():
        assert text_of(actual[name]) == text_of(value), name


def text_of(value: Any) -> str:
    """As Terraform prints it: a list or a map has one type, so 1 may have become "1"."""
    return re.sub(r'(?<=[:\[ ])"?(\d+)"?(?=[,}\]])', r"\1", json.dumps(value, sort_keys=True))


def test_a_workspace_s_state_lies_where_it_is_looked_for(
    terraform: Terraform, tmp_path: Path
) -> None:
    upstream = write_stack(tmp_path, "a/up", 'output "o" {\n  value = terraform.workspace\n}\n')
    read = (
        'data "terraform_remote_state" "x" {\n  backend = "local"\n  workspace = "staging"\n'
        '  config = { path = "../up/none", workspace_dir = "../up/terraform.tfstate.d" }\n}\n'
        'output "o" {\n  value = data.terraform_remote_state.x.outputs.o\n}\n'
    )
    reader = write_stack(tmp_path, "a/reader", read)
    run(terraform, upstream, "init", "-input=false")
    run(terraform, upstream, "workspace", "new", "staging")
    run(terraform, upstream, "apply", "-auto-approve", "-input=false")
    assert apply(terraform, reader) == {"o": "staging"}
    (found,) = Reader.create(terraform.env).reads(str(reader))
    assert found.address is not None
    assert outputs(Path(found.address.path).parent) == {"o": "staging"}


def test_the_workspaces_that_are_not_selected(terraform: Terraform, tmp_path: Path) -> None:
    directory = write_stack(
        tmp_path, "a/n", 'terraform {\n  backend "local" {\n    workspace_dir = "../ws"\n  }\n}\n'
    )
    run(terraform, directory, "init", "-input=false")
    assert terraform.other_workspaces(directory) == []
    run(terraform, directory, "workspace", "new", "staging")
    assert terraform.other_workspaces(directory) == ["default"]
    run(terraform, directory, "workspace", "select", "default")
    assert terraform.other_workspaces(directory) == ["staging"]


JSON_ROOT: dict[str, Any] = {
    "resource": {"terraform_data": {"this": {"input": "one"}}},
    "output": {"x": {"value": "${terraform_data.this.output}"}},
}
READER = (
    'data "terraform_remote_state" "all" {\n  for_each = toset(["a", "b"])\n  backend = "local"\n'
    '  config = { path = "${path.module}/../../shared-infra/${each.key}/terraform.tfstate" }\n}\n'
    'module "m" {\n  source = "../../modules/reads"\n}\n'
    'resource "terraform_data" "this" {\n'
    "  input = [data.terraform_remote_state.all, module.m.x]\n}\n"
)
IN_A_MODULE = (
    'data "terraform_remote_state" "c" {\n  backend = "local"\n'
    '  config = { path = "${path.root}/../../shared-infra/c/terraform.tfstate" }\n}\n'
    'output "x" {\n  value = data.terraform_remote_state.c.outputs.x\n}\n'
)


@pytest.fixture
def roots(small: Checkout) -> Checkout:
    """notebooks/n reads three stacks of main.tf.json alone: two by for_each, one in a module."""
    for name in ("a", "b", "c"):
        write_json(small, name, JSON_ROOT)
    write_stack(small.root, "modules/reads", IN_A_MODULE)
    write_stack(small.root, "notebooks/n", READER)
    return small


def write_json(checkout: Checkout, name: str, content: dict[str, Any]) -> None:
    directory = checkout.root / "shared-infra" / name
    directory.mkdir(exist_ok=True)
    (directory / "main.tf.json").write_text(json.dumps(content))


def test_what_is_read_by_for_each_in_modules_and_of_json_roots(
    roots: Checkout, terraform: Terraform
) -> None:
    """Plain `terraform plan -detailed-exitcode` says what has changed."""
    done = roots.tools("deploy", "--local")
    assert done.returncode == 0, done.stderr
    listed = json.loads(roots.tools("list", "--local", "--json").stdout)
    assert {row["stack"]: (row["status"], row["why"]) for row in listed} == {
        name: ("applied", [])
        for name in ("shared-infra/a", "shared-infra/b", "shared-infra/c", "notebooks/n")
    }
    for name in ("b", "c"):
        write_json(roots, name, {**JSON_ROOT, "output": {"x": {"value": f"another of {name}"}}})
    assert roots.tools("deploy", "--local", "--shared").returncode == 0
    plan = subprocess.run(
        [terraform.binary, "plan", "-detailed-exitcode", "-input=false"],
        cwd=work(roots, "notebooks/n"),
        env=terraform.env,
        capture_output=True,
        check=False,
    )
    assert plan.returncode == 2
    row = json.loads(roots.tools("list", "--local", "--json", "n").stdout)[0]
    assert row["why"] == [f"output of shared-infra/{name} x changed" for name in ("b", "c")]
    for name in ("b", "c"):
        refused = roots.tools("destroy", "--local", name, "--yes")
        assert f"notebooks/n is deployed and uses shared-infra/{name}" in refused.stderr
    # The directory holds a root under another name, so its state is no orphan.
    directory = work(roots, "shared-infra/a")
    (directory / "main.tf.json").rename(directory / "main.tofu")
    shutil.rmtree(roots.root / "shared-infra/a")
    assert "no orphans" in roots.tools("destroy", "--local", "--orphan").stderr


def test_what_a_root_elsewhere_in_the_repository_uses_is_not_destroyed(roots: Checkout) -> None:
    """One that a person applies with Terraform, and one whose state is in a bucket of AWS."""
    by_hand = "live/by-hand"
    write_stack(roots.root, by_hand, RESOURCE + reading("shared-infra/a"))
    arguments = 'bucket = "of-aws"\n    key = "n"\n    region = "us-east-1"'
    backend = f'terraform {{\n  backend "s3" {{\n    {arguments}\n  }}\n}}\n'
    write_stack(roots.root, "live/in-aws", backend + reading("shared-infra/b"))
    assert roots.tools("deploy", "--local", "--shared").returncode == 0
    for command in (["init"], ["apply", "-auto-approve"]):
        folder = f"-chdir={work(roots, by_hand)}"
        assert roots.run(roots.program, folder, *command).returncode == 0, command
    done = roots.tools("destroy", "--local", "--shared")
    assert done.returncode == 1
    assert f"{by_hand}, which is not managed here (stacks lie in shared-infra and" in done.stderr
    assert "may hold resources and uses shared-infra/a; destroy it first: " in done.stderr
    applied = roots.run(roots.program, folder, "destroy", "-auto-approve")
    assert applied.returncode == 0, applied.stderr
    assert roots.tools("destroy", "--local", "--shared").returncode == 0
