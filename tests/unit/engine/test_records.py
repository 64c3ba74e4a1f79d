"""Each reason to apply a stack, and each that is none."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.trees import reading
from tests.unit.engine.conftest import Bench
from tests.unit.engine.fake_terraform import state_of, write_state
from tools.engine.apply import run_stack
from tools.engine.in_use import refuse_in_use
from tools.engine.scheduler import run_stacks
from tools.errors import UserError
from tools.layout.stack import Stack
from tools.runs.listing import read_orphans
from tools.runs.orphans import find_orphans
from tools.state.file import UnreadableState

READS = """
variable "a" {
  default = ""
}
output "y" {
  value = data.terraform_remote_state.b.outputs.x
}
"""


@pytest.fixture
def applied(bench: Bench) -> Bench:
    """notebooks/n has a module and reads an output of shared-infra/b; both are applied."""
    (bench.root / "modules/m").mkdir()
    (bench.root / "modules/m/main.tf").write_text("")
    bench.write("shared-infra/b")
    module = 'module "m" {\n  source = "../../modules/m"\n}\n'
    bench.write("notebooks/n", "shared-infra/b", text=module + READS)
    run_stacks(bench.run(), bench.stacks())
    return bench


def reasons(bench: Bench, name: str = "notebooks/n") -> list[str]:
    return bench.run().records.reasons_to_apply(bench.stack(name))


def change_a_value(bench: Bench, stack: Stack) -> None:
    (stack.path / "terraform.tfvars").write_text("a = 1\n")


def change_a_file(bench: Bench, stack: Stack) -> None:
    (stack.path / "main.tf").write_text((stack.path / "main.tf").read_text() + "# edited\n")


def change_the_module(bench: Bench, stack: Stack) -> None:
    (bench.root / "modules/m/main.tf").write_text("# edited\n")


def apply_by_other_means(bench: Bench, stack: Stack) -> None:
    write_state(stack.path)


def replace_the_state(bench: Bench, stack: Stack) -> None:
    state = state_of(stack.path)
    (stack.path / "terraform.tfstate").write_text(json.dumps({**state, "lineage": "another"}))


def lose_the_record(bench: Bench, stack: Stack) -> None:
    (stack.path / "terraform.tfstate.record.json").unlink()


def spoil_a_part_of_the_record(bench: Bench, stack: Stack) -> None:
    file = stack.path / "terraform.tfstate.record.json"
    document = json.loads(file.read_text())
    document["inputs"]["files"] = []
    file.write_text(json.dumps(document))


def spoil_the_record(bench: Bench, stack: Stack) -> None:
    (stack.path / "terraform.tfstate.record.json").write_text('{"format": 1, "inputs": {}}')


def write_the_record_of_another_version(bench: Bench, stack: Stack) -> None:
    (stack.path / "terraform.tfstate.record.json").write_text('{"format": 0}')


def destroy(bench: Bench, stack: Stack) -> None:
    run_stack(bench.run(destroy=True), stack)


def lose_the_state_and_its_record(bench: Bench, stack: Stack) -> None:
    (stack.path / "terraform.tfstate").unlink()
    lose_the_record(bench, stack)


def change_the_upstream_s_output(bench: Bench, stack: Stack) -> None:
    upstream = bench.stack("shared-infra/b").path
    state = state_of(upstream)
    state["outputs"]["x"]["value"] = "two"
    (upstream / "terraform.tfstate").write_text(json.dumps(state))


def change_terraform(bench: Bench, stack: Stack) -> None:
    bench.terraform = replace(bench.terraform, version=(1, 12, 0))


def change_the_environment(bench: Bench, stack: Stack) -> None:
    bench.terraform = replace(bench.terraform, env={**bench.terraform.env, "TF_VAR_a": "secret"})


def hide_the_state(bench: Bench, stack: Stack) -> None:
    (stack.path / "override.tf").write_text("")


def configure_the_backend_by_option(bench: Bench, stack: Stack) -> None:
    env = {**bench.terraform.env, "TF_CLI_ARGS_init": "-backend-config=x.tfbackend"}
    bench.terraform = replace(bench.terraform, env=env)


def read_a_state_in_the_module(bench: Bench, stack: Stack) -> None:
    text = 'data "terraform_remote_state" "z" {\n  backend = "local"\n}\n'
    (bench.root / "modules/m/main.tf").write_text(text)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (change_a_value, "notebooks/n/terraform.tfvars is new"),
        (change_a_file, "notebooks/n/main.tf changed"),
        (change_the_module, "modules/m/main.tf changed"),
        (
            apply_by_other_means,
            "its state has changed since by other means (serial 2, 1 when it was applied)",
        ),
        (replace_the_state, "its state is not the one that was applied"),
        (lose_the_record, "the last apply did not finish"),
        (spoil_the_record, "its record is of another version of this program, or damaged"),
        (
            spoil_a_part_of_the_record,
            "its record is of another version of this program, or damaged",
        ),
        (
            write_the_record_of_another_version,
            "its record is of another version of this program, or damaged",
        ),
        (destroy, "destroyed, or its first apply did not finish"),
        (lose_the_state_and_its_record, "never applied"),
        (change_the_upstream_s_output, "output of shared-infra/b x changed"),
        (change_terraform, "Terraform is 1.12.0, and was 1.11.4"),
        (change_the_environment, "environment variable TF_VAR_a is new"),
        (
            hide_the_state,
            "its files do not say where its state is, so no record can be beside it",
        ),
        (
            configure_the_backend_by_option,
            "-backend-config in TF_CLI_ARGS may say where its state is, so it has no record",
        ),
        (
            read_a_state_in_the_module,
            "unknown: terraform_remote_state.module.m.z reads this stack's own state",
        ),
    ],
)
def test_each_reason_to_apply_is_named(
    applied: Bench, change: Callable[[Bench, Stack], None], reason: str
) -> None:
    assert reasons(applied) == []
    change(applied, applied.stack("notebooks/n"))
    assert reasons(applied) == [reason]
    assert applied.run().records.has_changed(applied.stack("notebooks/n"))


def test_an_output_of_an_upstream_that_is_not_read_is_no_reason(applied: Bench) -> None:
    upstream = applied.stack("shared-infra/b").path
    state = state_of(upstream)
    state["outputs"]["other"] = {"value": "new"}
    (upstream / "terraform.tfstate").write_text(json.dumps(state))
    assert reasons(applied) == []


def test_a_record_holds_no_value(bench: Bench) -> None:
    change_the_environment(bench, bench.write("notebooks/n", text='variable "a" {}\n'))
    run_stack(bench.run(), bench.stack("notebooks/n"))
    record = bench.stack("notebooks/n").path / "terraform.tfstate.record.json"
    assert "TF_VAR_a" in record.read_text()
    assert "secret" not in record.read_text()


def test_a_directory_copied_with_its_state_is_refused(applied: Bench) -> None:
    stack = applied.stack("notebooks/n")
    shutil.copytree(stack.path, stack.path.with_name("copy"))
    records = applied.run().records
    with pytest.raises(UserError, match="hold the same state"):
        records.refuse_copies(records.stacks)
    records.refuse_copies([stack])


def test_a_state_that_cannot_be_read_has_no_lineage(applied: Bench) -> None:
    stack = applied.stack("notebooks/n")
    assert applied.run().records.lineage(stack)
    (stack.path / "terraform.tfstate").write_text("{")
    assert applied.run().records.lineage(stack) is None


def test_a_state_that_is_cut_short_makes_way_for_what_terraform_kept(applied: Bench) -> None:
    stack = applied.stack("notebooks/n")
    whole = (stack.path / "terraform.tfstate").read_text()
    (stack.path / "terraform.tfstate").write_text("{")
    (stack.path / "errored.tfstate").write_text(whole)
    assert applied.run().records.state(stack) is None
    assert (stack.path / "terraform.tfstate.cut-short").read_text() == "{"


# A state as OpenTofu's encryption block leaves it. OpenTofu itself is no part of the tests: what
# `state pull` gives, or its failure, stands in for it (FakeTerraform.pull_state).
def encrypt(stack: Stack, is_readable: bool) -> None:
    file = stack.path / "terraform.tfstate"
    state = state_of(stack.path)
    if is_readable:
        (stack.path / "terraform.tfstate.plain").write_text(file.read_text())
    file.write_text(
        json.dumps(
            {
                "serial": state["serial"],
                "lineage": state["lineage"],
                "meta": {},
                "encrypted_data": "KNbFl6PVK8w=",
                "encryption_version": "v0",
            }
        )
    )


def test_an_encrypted_state_is_asked_for_through_the_program(applied: Bench) -> None:
    for name in ("notebooks/n", "shared-infra/b"):
        encrypt(applied.stack(name), is_readable=True)
        run_stack(applied.run(force=True), applied.stack(name))  # which wrote a plain one
        encrypt(applied.stack(name), is_readable=True)
    applied.terraform.calls.clear()
    assert reasons(applied, "shared-infra/b") == []
    assert reasons(applied) == []
    assert applied.terraform.calls == [
        "state pull shared-infra/b",
        "state pull notebooks/n",
        "state pull shared-infra/b",
    ]
    state = applied.run().records.state(applied.stack("notebooks/n"))
    assert state
    assert state.outputs == {"x": "x"}


def test_a_state_that_nobody_can_read_is_unknown(applied: Bench) -> None:
    reason = (
        f"{applied.root}/shared-infra/b/terraform.tfstate is an encrypted state, which only "
        "OpenTofu with its key can read: Failed to load state: decryption failed"
    )
    upstream = applied.stack("shared-infra/b")
    encrypt(upstream, is_readable=False)
    records = applied.run().records
    with pytest.raises(UnreadableState):
        records.state(upstream)
    # Planned, and with it what reads it; it is not said to be missing.
    assert reasons(applied, "shared-infra/b") == [reason]
    assert reasons(applied) == [reason]
    assert records.missing_upstreams(applied.stack("notebooks/n")) == []
    assert records.why_incomplete(upstream) == ""
    records.prefetch(records.stacks)
    # A copy is known for one by what is not encrypted.
    shutil.copytree(upstream.path, upstream.path.with_name("copy"))
    records = applied.run().records
    with pytest.raises(UserError, match="hold the same state"):
        records.refuse_copies(records.stacks)
    # Whether anything is to be destroyed, or keeps its upstream, is asked of the program.
    encrypt(applied.stack("notebooks/n"), is_readable=False)
    applied.terraform.calls.clear()
    gone = run_stack(applied.run(destroy=True), upstream)
    assert gone.outcome == "failed"
    assert gone.detail.endswith("Failed to load state: decryption failed")
    with pytest.raises(UserError, match="cannot tell whether notebooks/n is deployed: Failed to"):
        refuse_in_use(applied.run(), [upstream], [applied.stack("notebooks/n")])


def test_an_encrypted_state_without_a_directory_is_no_orphan(applied: Bench) -> None:
    gone = applied.stack("notebooks/n")
    write_state(gone.path.with_name("gone"), lineage="other")
    encrypt(applied.stack("notebooks/gone"), is_readable=False)
    records = applied.run().records
    assert find_orphans(records) == []
    (row,) = read_orphans(records)
    assert (row.stack, row.status) == ("notebooks/gone", "unknown")
    assert "is an encrypted state" in row.why[0]


def test_an_apply_that_leaves_an_encrypted_state_is_recorded(applied: Bench) -> None:
    stack = applied.stack("shared-infra/b")
    encrypt(stack, is_readable=False)
    run = applied.run()
    run.records.record_apply(stack, run.records.inputs(stack))
    record = json.loads((stack.path / "terraform.tfstate.record.json").read_text())
    version = json.loads((stack.path / "terraform.tfstate").read_text())
    lineage = hashlib.sha256(version["lineage"].encode()).hexdigest()[:32]
    assert (record["lineage"], record["serial"]) == (lineage, version["serial"])
    run_stack(applied.run(), stack)
    assert "apply safely shared-infra/b" in applied.terraform.calls  # it may hold data
    assert not any("not recorded" in line for line in applied.told.lines)


def test_what_no_program_can_read_is_garbage_and_moved_aside(applied: Bench) -> None:
    stack = applied.stack("notebooks/n")
    file = stack.path / "terraform.tfstate"
    whole = file.read_text()
    file.write_text("{")
    with pytest.raises(UserError) as error:
        applied.run().records.state(stack)
    advice = f"there is none before it; to go on without: mv {file} {file}.cut-short"
    assert str(error.value) == f"{file} is not a complete Terraform state; {advice}"
    (stack.path / "terraform.tfstate.backup").write_text(whole)
    with pytest.raises(UserError) as error:
        applied.run().records.state(stack)
    command = str(error.value).partition("before it: ")[2]
    subprocess.run(command, shell=True, check=True)
    assert (file.read_text(), Path(f"{file}.cut-short").read_text()) == (whole, "{")


@pytest.mark.parametrize("text", ['{"version": 3', "\0"])
def test_a_note_of_the_backend_that_is_cut_short_does_not_stop_init(
    applied: Bench, text: str
) -> None:
    stack = applied.stack("notebooks/n")
    note = stack.path / ".terraform/terraform.tfstate"
    note.write_text(text)
    run_stack(applied.run(force=True), stack)
    assert not note.exists()
    note.write_text('{"version": 3}')
    run_stack(applied.run(force=True), stack)
    assert note.exists()


def test_init_runs_again_if_a_provider_has_gone(applied: Bench) -> None:
    stack = applied.stack("notebooks/n")
    (stack.path / ".terraform.lock.hcl").write_text('provider "e.com/a/b" {\n  version = "1"\n}\n')
    provider = stack.path / ".terraform/providers/e.com/a/b/1/linux_amd64"
    provider.mkdir(parents=True)
    run_stack(applied.run(refresh=True), stack)
    applied.terraform.calls.clear()
    run_stack(applied.run(refresh=True), stack)
    assert applied.terraform.calls == ["apply notebooks/n"]
    provider.rmdir()
    run_stack(applied.run(refresh=True), stack)
    assert applied.terraform.calls[1] == "init notebooks/n"


def test_defaults_stand_for_the_outputs_of_an_upstream_that_was_destroyed(bench: Bench) -> None:
    """As Terraform 1.11.4 does: it fails only without any state (tests/cli/test_roots.py)."""
    bench.write("shared-infra/b")
    text = reading("shared-infra/b")
    plain = bench.write("notebooks/n", text=text)
    cautious = bench.write("notebooks/m", text=text.replace("backend", "defaults = {}\n backend"))
    assert bench.run().records.missing_upstreams(cautious) == ["shared-infra/b"]
    destroy(bench, bench.stack("shared-infra/b"))
    state = {"version": 4, "serial": 1, "lineage": "l", "outputs": {}, "resources": []}
    (bench.stack("shared-infra/b").path / "terraform.tfstate").write_text(json.dumps(state))
    assert bench.run().records.missing_upstreams(cautious) == []
    assert bench.run().records.missing_upstreams(plain) == ["shared-infra/b"]


def test_an_output_that_a_module_reads_is_a_reason(applied: Bench) -> None:
    (applied.root / "modules/m/main.tf").write_text(reading("shared-infra/b"))
    run_stacks(applied.run(), applied.stacks())
    assert reasons(applied) == []
    upstream = applied.stack("shared-infra/b").path
    state = state_of(upstream)
    state["outputs"]["new"] = {"value": 1}
    (upstream / "terraform.tfstate").write_text(json.dumps(state))
    assert reasons(applied) == ["output of shared-infra/b new is new"]
