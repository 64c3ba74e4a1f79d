"""The order, the failures and the signals of a deployment, on small stacks of builtin resources."""

import json
import os
import re
import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.cli.conftest import TOOLS, Checkout
from tests.faults.fleet import Barrier, ended
from tests.trees import reading, write_stack
from tools.localcloud.process import Running
from tools.runs import report_file
from tools.state.backend import Backend
from tools.terraform.installation import BINARY_VARIABLE

# `terraform_data` is built into Terraform 1.4 and later: no provider, so a run costs half a second.
RESOURCE = 'resource "terraform_data" "this" {\n  input = "x"\n}\noutput "x" {\n  value = "x"\n}\n'
BROKEN = 'output "x" {\n  value = file("missing")\n}\n'


def held(barrier: Barrier) -> str:
    """A resource whose making waits at `barrier`, and another."""
    barrier.set()
    return (
        f'resource "terraform_data" "this" {{\n  provisioner "local-exec" {{\n'
        f'    command = "{barrier.pause}"\n  }}\n}}\n{RESOURCE.replace("this", "that")}'
    )


def applied(checkout: Checkout) -> list[str]:
    """The order in which stacks were applied, from the time of their state."""
    states = (checkout.root / ".tools/local/workspace").glob("*/*/terraform.tfstate")
    return [str(s.parent.name) for s in sorted(states, key=lambda s: s.stat().st_mtime_ns)]


def outcomes(output: str) -> dict[str, str]:
    summary = output.rpartition("\n\n")[2]
    return {
        match[1]: match[2]
        for match in re.finditer(r"^(\S+/\S+) +(\S+(?: run)?) +\d+ s", summary, re.MULTILINE)
    }


@pytest.fixture
def chain(small: Checkout) -> Checkout:
    write_stack(small.root, "shared-infra/a", RESOURCE + reading("shared-infra/b"))
    write_stack(small.root, "shared-infra/b", RESOURCE)
    write_stack(small.root, "notebooks/n", RESOURCE + reading("shared-infra/a"))
    write_stack(small.root, "notebooks/m", RESOURCE)
    return small


@pytest.mark.nightly
def test_the_parts_of_a_deployment_on_machines_of_their_own(chain: Checkout) -> None:
    """As docs/pipelines.md has them: each stack is in one part, and a failure forbids the rest."""
    write_stack(chain.root, "shared-infra/b", BROKEN)
    reports: list[str] = []

    def deploy(*part: str, code: int) -> dict[str, str]:
        reports.append(f"{len(reports)}.json")
        earlier = [word for report in reports[:-1] for word in ("--earlier-report", report)]
        done = chain.tools("deploy", "--local", *part, *earlier, "--report", reports[-1])
        assert done.returncode == code, done.stderr
        results = report_file.read(chain.root / reports[-1])[1]
        return {result.stack: result.outcome for result in results}

    first = [
        chain.tools("plan", "--local", "--json", "--wave", "1/2", "--shard", f"{n}/2")
        for n in (1, 2)
    ]
    planned = [[plan["stack"] for plan in json.loads(done.stdout)] for done in first]
    assert sorted(map(len, planned)) == [1, 1]
    made = [
        deploy("--wave", "1/2", "--shard", f"{n}/2", code=int("shared-infra/b" in planned[n - 1]))
        for n in (1, 2)
    ]
    assert [list(part) for part in made] == planned
    assert made[0] | made[1] == {"shared-infra/b": "failed", "notebooks/m": "applied"}
    later = {"shared-infra/a": "not run", "notebooks/n": "not run"}
    assert deploy("--wave", "2/2", code=1) == later
    merged = chain.tools("merge-reports", *reports, "--report", "all.json")
    assert merged.returncode == 1
    results = report_file.read(chain.root / "all.json")[1]
    assert {result.stack: result.outcome for result in results} == made[0] | made[1] | later


def test_upstream_comes_first_and_a_second_run_changes_nothing(chain: Checkout) -> None:
    done = chain.tools("deploy", "--local")
    assert done.returncode == 0, done.stderr
    order = applied(chain)
    assert order.index("b") < order.index("a") < order.index("n")
    assert re.search(r"^\d\d:\d\d:\d\d \[shared-infra/b\] .*Creating", done.stderr, re.MULTILINE)
    again = chain.tools("deploy", "--local")
    assert set(outcomes(again.stderr).values()) == {"unchanged"}
    gone = chain.tools("destroy", "--local")
    assert set(outcomes(gone.stderr).values()) == {"destroyed"}
    assert gone.stderr.index("[notebooks/n]") < gone.stderr.index("[shared-infra/a]")
    assert gone.stderr.index("[shared-infra/a]") < gone.stderr.index("[shared-infra/b]")


def test_a_failed_stack_s_dependents_do_not_run_and_the_others_do(chain: Checkout) -> None:
    write_stack(chain.root, "shared-infra/a", BROKEN + reading("shared-infra/b"))
    done = chain.tools("deploy", "--local")
    assert done.returncode == 1
    assert outcomes(done.stderr) == {
        "shared-infra/a": "failed",
        "shared-infra/b": "applied",
        "notebooks/n": "not run",
        "notebooks/m": "applied",
    }
    assert "shared-infra/a failed or was not run" in done.stderr
    assert "main.tf, line 2" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_could_not_be_destroyed_keeps_what_it_reads(chain: Checkout) -> None:
    assert chain.tools("deploy", "--local").returncode == 0
    stuck = RESOURCE.replace(
        "input",
        'provisioner "local-exec" {\n    when    = destroy\n    command = "exit 1"\n  }\n  input',
    )
    write_stack(chain.root, "notebooks/n", stuck + reading("shared-infra/a"))
    done = chain.tools("destroy", "--local")
    assert done.returncode == 1
    assert outcomes(done.stderr) == {
        "shared-infra/a": "not run",
        "shared-infra/b": "not run",
        "notebooks/n": "failed",
        "notebooks/m": "destroyed",
    }


def test_independent_stacks_run_at_once(small: Checkout, tmp_path: Path) -> None:
    # Each waits for the other to have started, so that one after the other both would fail.
    for name, other in (("a", "b"), ("b", "a")):
        meet = (
            f"touch {tmp_path}/{name}; n=0; until [ -e {tmp_path}/{other} ]; "
            "do n=$((n+1)); [ $n -lt 300 ] || exit 1; sleep 0.1; done"
        )
        text = f'provisioner "local-exec" {{\n    command = "{meet}"\n  }}'
        write_stack(
            small.root, f"notebooks/{name}", f'resource "terraform_data" "this" {{\n  {text}\n}}\n'
        )
    done = small.tools("deploy", "--local", "--jobs", "2")
    assert outcomes(done.stderr) == {"notebooks/a": "applied", "notebooks/b": "applied"}


def test_to_fail_fast_starts_nothing_after_a_failure(small: Checkout) -> None:
    write_stack(small.root, "notebooks/a", BROKEN)
    write_stack(small.root, "notebooks/b", RESOURCE)
    done = small.tools("deploy", "--local", "--jobs", "1", "--fail-fast")
    assert done.returncode == 1
    assert outcomes(done.stderr) == {"notebooks/a": "failed", "notebooks/b": "not run"}


def test_what_is_in_use_is_not_destroyed(chain: Checkout) -> None:
    assert chain.tools("deploy", "--local").returncode == 0
    done = chain.tools("destroy", "--local", "--shared")
    assert done.returncode == 1
    assert "notebooks/n is deployed and uses shared-infra/a" in done.stderr
    assert "tools destroy --local notebooks/n" in done.stderr
    assert chain.tools("destroy", "--local", "notebooks/n").returncode == 0
    assert chain.tools("destroy", "--local", "--shared").returncode == 0


def test_to_destroy_what_was_never_deployed_is_no_error(chain: Checkout) -> None:
    done = chain.tools("destroy", "--local")
    assert done.returncode == 0, done.stderr
    assert set(outcomes(done.stderr).values()) == {"unchanged"}


def test_a_missing_upstream_is_named_with_what_to_do(chain: Checkout) -> None:
    done = chain.tools("deploy", "--local", "notebooks/n")
    assert done.returncode == 1
    assert "shared-infra/a is not deployed yet" in done.stderr
    assert "tools deploy --local shared-infra/a" in done.stderr


def test_an_upstream_that_was_destroyed_is_missing_too(chain: Checkout) -> None:
    uses = 'output "y" {\n  value = data.terraform_remote_state.b.outputs.x\n}\n'
    write_stack(chain.root, "shared-infra/a", RESOURCE + reading("shared-infra/b") + uses)
    assert chain.tools("deploy", "--local", "b").returncode == 0
    assert chain.tools("destroy", "--local", "b").returncode == 0
    done = chain.tools("deploy", "--local", "a")
    assert "shared-infra/b is not deployed yet" in done.stderr


def test_an_output_that_was_renamed_is_named(chain: Checkout) -> None:
    uses = 'output "y" {\n  value = data.terraform_remote_state.b.outputs.x\n}\n'
    write_stack(chain.root, "shared-infra/a", RESOURCE + reading("shared-infra/b") + uses)
    renamed = RESOURCE.replace('output "x"', 'output "z"')
    assert chain.tools("deploy", "--local", "a", "b").returncode == 0
    write_stack(chain.root, "shared-infra/b", renamed)
    done = chain.tools("deploy", "--local", "b")
    assert re.search(r"shared-infra/b +applied .* outputs changed: x, z", done.stderr)
    done = chain.tools("deploy", "--local", "a")
    assert done.returncode == 1
    assert "shared-infra/b has no output x, which shared-infra/a reads (it has z)" in done.stderr


def test_every_missing_upstream_is_named_at_once(small: Checkout) -> None:
    for name in ("a", "b"):
        write_stack(small.root, f"shared-infra/{name}", RESOURCE)
    write_stack(small.root, "notebooks/n", reading("shared-infra/a", "shared-infra/b"))
    done = small.tools("deploy", "--local", "n")
    assert "tools deploy --local shared-infra/a shared-infra/b" in done.stderr


def test_terraform_s_warnings_are_shown(small: Checkout) -> None:
    directory = write_stack(small.root, "notebooks/n", RESOURCE)
    (directory / "terraform.tfvars").write_text("idle_stop_minuts = 5\n")
    done = small.tools("deploy", "--local")
    assert done.returncode == 0, done.stderr
    assert "[notebooks/n] warning: Value for undeclared variable" in done.stderr


def test_where_terraform_looks_is_where_this_looks(small: Checkout) -> None:
    """What plain Terraform has in the state is what destroy finds, wherever that state lies."""
    partial = 'terraform {\n  backend "local" {}\n}\n'
    write_stack(small.root, "notebooks/n", partial + RESOURCE)
    assert small.tools("list", "--local").returncode == 0
    work = ".tools/local/workspace/notebooks/n"

    def terraform(*arguments: str) -> str:
        done = small.run("terraform", *arguments, cwd=work)
        assert done.returncode == 0, done.stderr
        return done.stdout

    terraform("init", "-backend-config=path=mine.tfstate")
    terraform("apply", "-auto-approve")

    elsewhere = small.tools("destroy", "--local", TF_WORKSPACE="staging")
    assert (elsewhere.returncode, "unset TF_WORKSPACE" in elsewhere.stderr) == (1, True)
    # Terraform says the same of a block that has gone: "Backend configuration changed".
    write_stack(small.root, "notebooks/n", RESOURCE)
    moved = small.tools("destroy", "--local")
    assert moved.returncode == 1, moved.stderr
    assert outcomes(moved.stderr) == {"notebooks/n": "failed"}
    write_stack(small.root, "notebooks/n", partial + RESOURCE)
    assert small.tools("list", "--local").returncode == 0  # the working copy has it again
    assert terraform("state", "list") == "terraform_data.this\n"

    destroyed = small.tools("destroy", "--local")
    assert outcomes(destroyed.stderr) == {"notebooks/n": "destroyed"}
    assert terraform("state", "list") == ""


@pytest.mark.parametrize(
    ("file", "command"),
    [
        ("more.tf", "tools state unlock --local notebooks/n"),
        # It could say where the state lies, and nothing but Terraform knows.
        ("override.tf", r"(?:terraform|tofu) -chdir=\S+/notebooks/n force-unlock [0-9a-f-]{36}"),
    ],
)
def test_who_holds_the_lock_is_said_with_what_to_do(
    small: Checkout, file: str, command: str
) -> None:
    barrier = Barrier(small.root, "this")
    (write_stack(small.root, "notebooks/n", held(barrier)) / file).write_text("")
    first = small.start("deploy", "--local")
    barrier.await_reached()
    second = small.tools("deploy", "--local")
    barrier.release()
    said = ended(first)
    assert first.returncode == 0, said
    assert second.returncode == 1
    assert re.search(r"another (?:Terraform|OpenTofu) works on it \(", second.stderr)
    assert re.search(command, second.stderr)


@pytest.mark.parametrize("text", ['purpose = "a\n', "purpose = = 1\n"])
def test_broken_values_are_named_with_file_and_line(small: Checkout, text: str) -> None:
    directory = write_stack(small.root, "notebooks/n", RESOURCE)
    (directory / "terraform.tfvars").write_text(f"# a comment\n{text}")
    done = small.tools("deploy", "--local")
    assert done.returncode == 1
    assert re.search(r"terraform\.tfvars, line 2: ", done.stderr)
    assert "Traceback" not in done.stderr


def test_ctrl_c_lets_terraform_write_its_state_and_release_its_lock(small: Checkout) -> None:
    write_stack(small.root, "notebooks/n", held(Barrier(small.root, "this")))
    write_stack(small.root, "notebooks/z", RESOURCE)
    process = small.start("deploy", "--local", "--jobs", "1")
    work = small.root / ".tools/local/workspace/notebooks"
    logs = small.root / ".tools/local/logs"
    deadline = time.monotonic() + 300
    while not any(
        "terraform_data.that: Creation complete" in log.read_text()
        for log in logs.glob("*/notebooks.n.apply.log")
    ):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    output = process.communicate(timeout=300)[0]
    assert process.returncode == 130
    end = output.rpartition("\n\n")[2].splitlines()
    assert re.fullmatch(r"interrupted after \d+ s: 1 interrupted, 1 not run", end[0])
    assert end[1:] == [
        "  interrupted: notebooks/n (after 1 of 2 resources)",
        "  not run: notebooks/z",
        "Run the same command again to continue.",
    ]
    assert "Traceback" not in output
    assert "halted" not in output
    assert "[notebooks/n] interrupted: waiting until the state is written" in output
    state = json.loads((work / "n/terraform.tfstate").read_text())
    assert "that" in [resource["name"] for resource in state["resources"]]
    assert not (work / "n/.terraform.tfstate.lock.info").exists()
    assert not (work / "z/terraform.tfstate").exists()


def test_a_localstack_that_dies_while_applying_is_said(checkout: Checkout) -> None:
    up = checkout.tools("local", "up")
    assert up.returncode == 0, up.stderr
    pid = json.loads((checkout.root / ".tools/local/localstack.json").read_text())["pid"]
    shutil.rmtree(checkout.root / "notebooks")
    # A big process runs on for a moment after it was killed.
    is_running = f"ps -o stat= -p {pid} | grep -q '^[^Z]'"
    command = f"kill -9 {pid}; while {is_running}; do sleep 0.1; done; exit 1"
    kill = f'provisioner "local-exec" {{\n    command = "{command}"\n  }}'
    write_stack(
        checkout.root, "notebooks/n", f'resource "terraform_data" "this" {{\n  {kill}\n}}\n'
    )
    write_stack(checkout.root, "notebooks/zz", RESOURCE)
    done = checkout.tools("deploy", "--local", "n", "zz", "--jobs", "1")
    assert done.returncode == 1
    assert "[notebooks/zz] not run: LocalStack ended while this ran" in done.stderr
    assert "error: LocalStack ended while this ran (log: " in done.stderr
    assert "start again: tools local up" in done.stderr


def test_demo_refuses_a_directory_copied_with_its_backend(attached: Checkout) -> None:
    notebooks = attached.root / "notebooks"
    text = Backend("states", "us-east-1", "file").text("notebooks/notebook-dev")
    (notebooks / "notebook-dev/backend.tf").write_text(text)
    shutil.copytree(notebooks / "notebook-dev", notebooks / "two", symlinks=True)
    done = attached.tools("demo")
    assert done.returncode == 1
    assert done.stderr.startswith(
        "error: notebooks/two/backend.tf names the state of notebooks/notebook-dev: "
    )


def test_without_a_local_cloud_it_says_how_to_start_one(checkout: Checkout) -> None:
    done = checkout.tools("deploy", "--local")
    assert done.returncode == 1
    assert done.stderr == "error: the local cloud does not run; start it: tools local up\n"


def test_a_deployment_to_aws_needs_credentials_and_names_the_demo(checkout: Checkout) -> None:
    checkout.tools("init", "--project", "acme", "--region", "us-east-1", "--default-vpc")
    done = checkout.tools("deploy", "--shared")
    assert done.returncode == 1
    assert done.stderr.startswith("error: no AWS credentials found")
    assert "make demo" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_deployment_to_aws_needs_what_is_typed_once(checkout: Checkout) -> None:
    done = checkout.tools("deploy")
    assert done.returncode == 1
    assert "no project is set; run `tools init`" in done.stderr


def test_a_region_that_does_not_exist_stops_before_anything_runs(checkout: Checkout) -> None:
    (checkout.root / "common.auto.tfvars").write_text('project = "p"\nregion = "eu-wst-1"\n')
    done = checkout.tools("deploy")
    assert done.returncode == 1
    assert "there is no region 'eu-wst-1'" in done.stderr


def test_an_emulator_in_the_environment_is_no_aws(checkout: Checkout) -> None:
    checkout.tools("init", "--project", "acme", "--region", "us-east-1", "--default-vpc")
    done = checkout.tools("deploy", AWS_ENDPOINT_URL="http://127.0.0.1:4566")
    assert done.returncode == 1
    assert "add --local, or take the setting away: unset AWS_ENDPOINT_URL" in done.stderr


def test_an_emulator_in_the_configuration_is_no_aws(checkout: Checkout, tmp_path: Path) -> None:
    checkout.tools("init", "--project", "acme", "--region", "us-east-1", "--default-vpc")
    config = tmp_path / "config"
    config.write_text("[default]\nendpoint_url = http://127.0.0.1:4566\n")
    done = checkout.tools("deploy", AWS_CONFIG_FILE=str(config))
    assert done.returncode == 1
    assert "leads to http://127.0.0.1:4566" in done.stderr


def test_one_question_names_account_region_and_stacks(
    small: Checkout, local_cloud: Running
) -> None:
    write_stack(small.root, "shared-infra/a", RESOURCE)
    (small.root / "common.auto.tfvars").write_text('project = "p"\nregion = "eu-west-1"\n')
    # Only STS is the emulator's: the rest of the run is what AWS would see.
    account = {
        "AWS_ENDPOINT_URL_STS": local_cloud.endpoint,
        "AWS_ACCESS_KEY_ID": "123456789012",
        "AWS_SECRET_ACCESS_KEY": "x",
    }
    refused = small.tools("deploy", "--shared", **account)
    assert refused.returncode == 1
    assert "AWS account 123456789012, region eu-west-1" in refused.stderr
    assert "\n  shared-infra/a\n" in refused.stderr
    assert "pass --yes" in refused.stderr
    assert not (small.root / "shared-infra/a/terraform.tfstate").exists()
    agreed = small.tools("deploy", "--shared", "--yes", **account)
    assert agreed.returncode == 0, agreed.stderr
    assert (small.root / "shared-infra/a/terraform.tfstate").exists()


def test_a_stack_can_be_named_by_its_path(chain: Checkout) -> None:
    done = chain.run(str(TOOLS), "deploy", "--local", ".", cwd="shared-infra/b")
    assert outcomes(done.stderr) == {"shared-infra/b": "applied"}


def test_a_directory_copied_with_its_state_is_not_applied(chain: Checkout) -> None:
    assert chain.tools("deploy", "--local", "m").returncode == 0
    work = chain.root / ".tools/local/workspace/notebooks"
    shutil.copytree(work / "m", work / "copy")
    done = chain.tools("deploy", "--local", "copy")
    assert done.returncode == 1
    assert "hold the same state" in done.stderr


def test_a_stack_that_is_not_there_is_refused_with_a_suggestion(chain: Checkout) -> None:
    done = chain.tools("deploy", "--local", "notebooks/nn")
    assert done.returncode == 1
    assert "no stack is called notebooks/nn; did you mean notebooks/n?" in done.stderr


def without_terraform(checkout: Checkout, tmp_path: Path) -> dict[str, str]:
    path = os.pathsep.join(
        folder
        for folder in checkout.env["PATH"].split(os.pathsep)
        if not any((Path(folder) / name).exists() for name in ("terraform", "tofu"))
    )
    return {"PATH": f"{tmp_path}/bin{os.pathsep}{path}", BINARY_VARIABLE: ""}


def test_says_how_to_install_a_terraform_that_is_missing(small: Checkout, tmp_path: Path) -> None:
    done = small.tools("deploy", "--local", **without_terraform(small, tmp_path))
    assert done.returncode == 1
    assert "neither terraform nor tofu is on PATH; install it: https://" in done.stderr


def test_says_which_terraform_is_too_old(small: Checkout, tmp_path: Path) -> None:
    # A stand-in, since no Terraform that old can be had: it answers as 0.15 does.
    old = tmp_path / "bin" / "terraform"
    old.parent.mkdir()
    old.write_text(
        '#!/bin/sh\necho \'{"terraform_version": "0.15.5", "platform": "linux_amd64"}\'\n'
    )
    old.chmod(0o755)
    done = small.tools("deploy", "--local", **without_terraform(small, tmp_path))
    assert done.returncode == 1
    assert f"{old} is Terraform 0.15.5; 1.0 or later is needed" in done.stderr


def test_says_where_a_provider_could_come_from(small: Checkout, tmp_path: Path) -> None:
    write_stack(small.root, "notebooks/n", 'provider "aws" {}\n')
    config = tmp_path / "terraform.rc"
    config.write_text(
        f'provider_installation {{\n  filesystem_mirror {{\n    path = "{tmp_path}"\n  }}\n}}\n'
    )
    done = small.tools("deploy", "--local", TF_CLI_CONFIG_FILE=str(config))
    assert done.returncode == 1
    assert "no provider" in done.stderr
    assert "https://developer.hashicorp.com/terraform/cli/commands/providers/mirror" in done.stderr
