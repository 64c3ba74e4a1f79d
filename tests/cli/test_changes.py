"""Only what has changed is applied: each reason to apply a stack, and each that is none."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.cli.conftest import Checkout, attach, user_env
from tests.cli.test_deploy import RESOURCE, outcomes
from tests.trees import reading, write_stack
from tools.localcloud.process import Running
from tools.terraform.binary import Terraform

UPSTREAM = (
    RESOURCE + 'variable "value" {\n  default = "one"\n}\noutput "read" {\n  value = var.value\n}\n'
)
READER = (
    'module "m" {\n  source = "../../modules/m"\n}\n'
    'variable "secret" {\n  default = ""\n}\n'
    'output "y" {\n  value = data.terraform_remote_state.b.outputs.read\n}\n'
)


@pytest.fixture(scope="module")
def applied(
    tmp_path_factory: pytest.TempPathFactory, terraform: Terraform, local_cloud: Running
) -> Checkout:
    """Two applied stacks: notebooks/n has a module and reads an output of shared-infra/b."""
    root = tmp_path_factory.mktemp("applied") / "repository"
    (root / "modules").mkdir(parents=True)
    write_stack(root, "modules/m", RESOURCE)
    write_stack(root, "shared-infra/b", UPSTREAM)
    write_stack(root, "notebooks/n", RESOURCE + READER + reading("shared-infra/b"))
    checkout = Checkout(root, user_env(terraform))
    attach(checkout, local_cloud)
    done = checkout.tools("deploy", "--local")
    assert done.returncode == 0, done.stderr
    return checkout


@pytest.fixture
def pair(applied: Checkout, tmp_path: Path) -> Checkout:
    """A copy of `applied`, for a test of its own."""
    root = tmp_path / "repository"
    shutil.copytree(applied.root, root, symlinks=True)
    return replace(applied, root=root)


def terraforms(checkout: Checkout) -> list[str]:
    """What the last run had Terraform do, from its logs: `stack.verb`."""
    runs = sorted((checkout.root / ".tools/local/logs").iterdir())
    return sorted(log.stem for log in runs[-1].glob("*.log"))


def work(checkout: Checkout, stack: str) -> Path:
    return checkout.root / ".tools/local/workspace" / stack


def test_where_nothing_has_changed_no_terraform_starts(pair: Checkout) -> None:
    done = pair.tools("deploy", "--local")
    assert done.returncode == 0, done.stderr
    assert terraforms(pair) == []
    assert outcomes(done.stderr) == {"notebooks/n": "unchanged", "shared-infra/b": "unchanged"}


def change_a_value(checkout: Checkout) -> None:
    (checkout.root / "notebooks/n/terraform.tfvars").write_text('secret = "x"\n')


def change_a_file(checkout: Checkout) -> None:
    with (checkout.root / "notebooks/n/main.tf").open("a") as file:
        file.write("# a comment\n")


def change_the_module(checkout: Checkout) -> None:
    write_stack(checkout.root, "modules/m", RESOURCE.replace('"x"', '"z"'))


def restore_an_older_state(checkout: Checkout) -> None:
    state = work(checkout, "notebooks/n") / "terraform.tfstate"
    older = json.loads(state.read_text())
    state.write_text(json.dumps({**older, "serial": older["serial"] - 1}))


def replace_the_state(checkout: Checkout) -> None:
    state = work(checkout, "notebooks/n") / "terraform.tfstate"
    other = {**json.loads(state.read_text()), "lineage": "00000000-0000-0000-0000-000000000000"}
    state.write_text(json.dumps(other))


def apply_by_plain_terraform(checkout: Checkout) -> None:
    stack = work(checkout, "notebooks/n")
    done = checkout.run(
        checkout.program,
        "apply",
        "-auto-approve",
        "-replace=terraform_data.this",
        cwd=str(stack),
    )
    assert done.returncode == 0, done.stderr


def lose_the_record(checkout: Checkout) -> None:
    (work(checkout, "notebooks/n") / "terraform.tfstate.record.json").unlink()


def spoil_the_record(checkout: Checkout) -> None:
    (work(checkout, "notebooks/n") / "terraform.tfstate.record.json").write_text("{")


def change_the_provider_s_version(checkout: Checkout) -> None:
    lock = work(checkout, "notebooks/n") / ".terraform.lock.hcl"
    text = lock.read_text() if lock.exists() else ""
    lock.write_text(text + 'provider "example.com/a/b" {\n  version = "1.0.0"\n}\n')
    record = work(checkout, "notebooks/n") / "terraform.tfstate.record.json"
    noted = json.loads(record.read_text())
    noted["inputs"]["versions"]["example.com/a/b"] = "0.9.0"
    record.write_text(json.dumps(noted))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (change_a_value, "notebooks/n/terraform.tfvars is new"),
        (change_a_file, "notebooks/n/main.tf changed"),
        (change_the_module, "modules/m/main.tf changed"),
        (restore_an_older_state, "its state has changed since by other means"),
        (replace_the_state, "its state is not the one that was applied"),
        (apply_by_plain_terraform, "its state has changed since by other means"),
        (lose_the_record, "the last apply did not finish"),
        (spoil_the_record, "its record cannot be read, so that an apply may not have finished"),
        (change_the_provider_s_version, "example.com/a/b is 1.0.0, and was 0.9.0"),
    ],
)
def test_each_reason_to_apply_is_named(
    pair: Checkout, change: Callable[[Checkout], None], reason: str
) -> None:
    change(pair)
    listed = json.loads(pair.tools("list", "--local", "--json").stdout)
    by_name = {row["stack"]: row for row in listed}
    status = "unfinished" if change is spoil_the_record else "changed since"
    assert by_name["notebooks/n"]["status"] == status
    assert any(reason in why for why in by_name["notebooks/n"]["why"]), by_name["notebooks/n"]
    assert by_name["shared-infra/b"]["status"] == "applied"


def test_an_environment_variable_counts_and_its_value_is_not_recorded(pair: Checkout) -> None:
    done = pair.tools("deploy", "--local", "--why", TF_VAR_secret="hunter2")
    assert "environment variable TF_VAR_secret is new" in done.stderr
    assert pair.tools("list", "--local", "--changed", "n", TF_VAR_secret="hunter2").stdout == ""
    changed = pair.tools("list", "--local", "--why", "n", TF_VAR_secret="hunter3").stdout
    assert "environment variable TF_VAR_secret changed" in changed
    record = work(pair, "notebooks/n") / "terraform.tfstate.record.json"
    assert "hunter2" not in record.read_text()


def test_what_has_changed_is_applied_and_nothing_else(pair: Checkout) -> None:
    change_a_value(pair)
    done = pair.tools("deploy", "--local", "--why")
    assert done.returncode == 0, done.stderr
    assert "notebooks/n/terraform.tfvars is new" in done.stderr
    # No init: nothing that it reads has changed.
    assert terraforms(pair) == ["notebooks.n.apply"]
    pair.tools("deploy", "--local")
    assert terraforms(pair) == []


def test_a_changed_output_of_an_upstream_stack_reaches_its_readers(pair: Checkout) -> None:
    (pair.root / "shared-infra/b/terraform.tfvars").write_text('value = "two"\n')
    done = pair.tools("deploy", "--local")
    assert done.returncode == 0, done.stderr
    assert terraforms(pair) == ["notebooks.n.apply", "shared-infra.b.apply"]
    state = json.loads((work(pair, "notebooks/n") / "terraform.tfstate").read_text())
    assert state["outputs"]["y"]["value"] == "two"


def test_an_upstream_output_that_is_not_read_does_not(pair: Checkout) -> None:
    text = UPSTREAM + 'output "other" {\n  value = "new"\n}\n'
    write_stack(pair.root, "shared-infra/b", text)
    done = pair.tools("deploy", "--local")
    assert done.returncode == 0, done.stderr
    assert terraforms(pair) == ["shared-infra.b.apply"]


def test_a_file_that_a_relative_path_names_counts(pair: Checkout) -> None:
    (pair.root / "modules/script.sh").write_text("one\n")
    text = 'output "s" {\n  value = file("${path.module}/../../modules/script.sh")\n}\n'
    write_stack(pair.root, "shared-infra/b", UPSTREAM + text)
    assert pair.tools("deploy", "--local").returncode == 0
    (pair.root / "modules/script.sh").write_text("two\n")
    assert "modules/script.sh changed" in pair.tools("list", "--local", "--why").stdout


def test_init_runs_again_where_something_that_it_reads_has_changed(pair: Checkout) -> None:
    write_stack(pair.root, "modules/other", RESOURCE)
    with (pair.root / "notebooks/n/main.tf").open("a") as file:
        file.write('module "other" {\n  source = "../../modules/other"\n}\n')
    assert pair.tools("deploy", "--local").returncode == 0
    assert terraforms(pair) == ["notebooks.n.apply", "notebooks.n.init"]


def test_init_runs_again_where_what_it_made_has_gone(pair: Checkout) -> None:
    change_a_value(pair)
    shutil.rmtree(work(pair, "notebooks/n") / ".terraform/modules")
    done = pair.tools("deploy", "--local")
    assert done.returncode == 0, done.stderr
    assert "notebooks.n.init" in terraforms(pair)


def test_refresh_asks_terraform_and_force_initializes_besides(pair: Checkout) -> None:
    assert pair.tools("deploy", "--local", "--refresh", "b").returncode == 0
    assert terraforms(pair) == ["shared-infra.b.apply"]
    assert pair.tools("deploy", "--local", "--force", "b").returncode == 0
    assert terraforms(pair) == ["shared-infra.b.apply", "shared-infra.b.init"]


def test_a_failed_apply_counts_as_changed_though_the_edit_is_taken_back(pair: Checkout) -> None:
    main = pair.root / "notebooks/n/main.tf"
    before = main.read_text()
    main.write_text(
        before
        + 'resource "terraform_data" "bad" {\n  provisioner "local-exec" {\n'
        + '    command = "exit 1"\n  }\n}\n'
    )
    assert pair.tools("deploy", "--local").returncode == 1
    main.write_text(before)
    done = pair.tools("deploy", "--local")
    assert outcomes(done.stderr)["notebooks/n"] == "applied"
    assert terraforms(pair) == ["notebooks.n.apply"]


def test_the_choice_of_stacks(pair: Checkout) -> None:
    write_stack(pair.root, "notebooks/m", RESOURCE)
    (pair.root / "notebooks/m/terraform.tfvars").write_text('environment = "dev"\n')

    def chosen(*options: str) -> list[str]:
        listed = pair.tools("list", "--local", "--json", *options)
        assert listed.returncode == 0, listed.stderr
        return [row["stack"] for row in json.loads(listed.stdout)]

    assert chosen("--changed") == ["notebooks/m"]
    assert chosen("--shared", "--with-downstream") == ["shared-infra/b", "notebooks/n"]
    assert chosen("n", "--with-upstream") == ["shared-infra/b", "notebooks/n"]
    assert chosen("--where", "environment=dev") == ["notebooks/m"]
    assert chosen("notebooks/*") == ["notebooks/m", "notebooks/n"]
    assert chosen("--all") == ["shared-infra/b", "notebooks/m", "notebooks/n"]
    assert pair.tools("list", "--local", "--all", "n").returncode == 2


def test_an_orphan_is_listed(pair: Checkout) -> None:
    # As `git rm` leaves it: what git ignores stays.
    shutil.rmtree(pair.root / "notebooks/n")
    (work(pair, "notebooks/n") / "main.tf").unlink()
    listed = pair.tools("list", "--local").stdout
    assert re.search(r"^notebooks/n +notebook +orphan +2 +its root module is gone", listed, re.M)
    assert "no orphan is called m; there are notebooks/n" in (
        pair.tools("destroy", "--local", "--orphan", "m").stderr
    )
    unnamed = pair.tools("destroy", "--local", "--orphan", "--yes")
    assert "name the orphans to destroy: tools destroy --local --orphan notebooks/n" in (
        unnamed.stderr
    )
    done = pair.tools("destroy", "--local", "--orphan", "n")
    assert "2 resources: " in done.stderr
    assert done.returncode == 0, done.stderr
    assert outcomes(done.stderr) == {"notebooks/n": "destroyed"}
    assert "orphan" not in pair.tools("list", "--local").stdout
    assert "no orphans" in pair.tools("destroy", "--local", "--orphan").stderr


def test_a_state_that_is_spoilt_is_said(pair: Checkout) -> None:
    (work(pair, "notebooks/n") / "terraform.tfstate").write_text("{")
    listed = pair.tools("list", "--local")
    assert listed.returncode == 0
    assert "is not a complete Terraform state" in listed.stdout
    done = pair.tools("deploy", "--local")
    assert done.returncode == 1
    assert "is not a complete Terraform state" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_record_in_a_bucket_is_a_colleague_s_too(
    small: Checkout, local_cloud: Running, client: Callable[..., Any], tmp_path: Path
) -> None:
    bucket = f"states-{uuid4().hex[:8]}"
    client("s3").create_bucket(Bucket=bucket)
    for stack in ("notebooks/n", "notebooks/gone"):
        # Not in backend.tf, which the local cloud's copy of a stack leaves out.
        backend = (
            f'terraform {{\n  backend "s3" {{\n    bucket = "{bucket}"\n'
            f'    key    = "ml-infra/{stack}/terraform.tfstate"\n'
            '    region = "us-east-1"\n  }\n}\n'
        )
        write_stack(small.root, stack, backend + RESOURCE)
    assert small.tools("deploy", "--local").returncode == 0
    keys = {found["Key"] for found in client("s3").list_objects_v2(Bucket=bucket)["Contents"]}
    assert "ml-infra/notebooks/n/terraform.tfstate.record.json" in keys

    colleague = replace(small, root=tmp_path / "colleague")
    ignored = shutil.ignore_patterns(".tools", "gone")
    shutil.copytree(small.root, colleague.root, symlinks=True, ignore=ignored)
    attach(colleague, local_cloud)
    done = colleague.tools("deploy", "--local")
    assert outcomes(done.stderr) == {"notebooks/n": "unchanged"}
    assert terraforms(colleague) == []
    listed = json.loads(colleague.tools("list", "--local", "--json").stdout)
    assert {row["stack"]: row["status"] for row in listed} == {
        "notebooks/n": "applied",
        "notebooks/gone": "orphan",
    }
    gone = colleague.tools("destroy", "--local", "--orphan", "notebooks/g*")
    assert outcomes(gone.stderr) == {"notebooks/gone": "destroyed"}
    assert small.tools("destroy", "--local", "n").returncode == 0
    assert re.search(r"^notebooks/n ", colleague.tools("list", "--local", "--changed").stdout, re.M)
