"""What is applied and what is not, what a failure leaves, and what takes data away."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.engine.conftest import Bench
from tests.unit.engine.fake_terraform import Answer, counts, done, failure, planned, write_state
from tools.engine.apply import run_stack
from tools.engine.planning import plan_stacks
from tools.engine.plans import Plan
from tools.engine.run import Result
from tools.errors import UserError
from tools.layout.stack import Stack
from tools.state.file import HOLDS_DATA
from tools.state.place import LocalPlace
from tools.terraform.text import Event

BUCKET = "aws_s3_bucket"


@pytest.fixture
def stack(bench: Bench) -> Stack:
    return bench.write("notebooks/n")


def apply(bench: Bench, stack: Stack, **options: Any) -> Result:
    bench.terraform.calls.clear()
    return run_stack(bench.run(**options), stack)


def reasons(bench: Bench, stack: Stack) -> list[str]:
    return bench.run().records.reasons_to_apply(stack)


def test_the_result_counts_resources_and_the_steps_show_them(bench: Bench, stack: Stack) -> None:
    events = [
        counts("plan", add=1, change=1),
        {"type": "apply_complete", "@message": "data", "hook": {"action": "read"}},
        done("terraform_data.a"),
        done("terraform_data.b"),
        counts("apply", add=1, change=1),
    ]
    bench.terraform.will("apply notebooks/n", Answer(events))
    result = apply(bench, stack)
    assert (result.outcome, result.changes) == ("applied", {"add": 1, "change": 1, "remove": 0})
    steps = [step[2:] for step in bench.told.steps if step[1] == "terraform apply"]
    assert steps == [(0, 0), (1, 2), (2, 2)]
    assert "[notebooks/n] terraform_data.a: Creation complete" in bench.told.lines
    assert not any(line.rpartition(" ")[2] == "data" for line in bench.told.lines)


def test_an_apply_without_changes_is_no_change(bench: Bench, stack: Stack) -> None:
    bench.terraform.will("apply notebooks/n", Answer([counts("apply")]))
    assert apply(bench, stack).outcome == "unchanged"


@pytest.mark.parametrize(
    ("options", "calls"),
    [
        ({}, []),
        ({"refresh": True}, ["apply notebooks/n"]),
        ({"force": True}, ["init notebooks/n", "apply notebooks/n"]),
    ],
)
def test_refresh_asks_terraform_and_force_initializes_besides(
    bench: Bench, stack: Stack, options: dict[str, bool], calls: list[str]
) -> None:
    apply(bench, stack)
    apply(bench, stack, **options)
    assert bench.terraform.calls == calls


def test_only_what_init_reads_makes_it_run_again(bench: Bench, stack: Stack) -> None:
    assert apply(bench, stack).outcome == "applied"
    assert bench.terraform.calls == ["init notebooks/n", "apply notebooks/n"]
    (stack.path / "terraform.tfvars").write_text("purpose = 1\n")
    apply(bench, stack)
    assert bench.terraform.calls == ["apply notebooks/n"]
    (bench.root / "modules/m").mkdir()
    (bench.root / "modules/m/main.tf").write_text("")
    (stack.path / "more.tf").write_text('module "m" {\n  source = "../../modules/m"\n}\n')
    apply(bench, stack)
    assert bench.terraform.calls == ["init notebooks/n", "apply notebooks/n"]


def test_a_failed_apply_counts_as_changed_though_the_edit_is_taken_back(
    bench: Bench, stack: Stack
) -> None:
    apply(bench, stack)
    main = stack.path / "main.tf"
    before = main.read_text()
    main.write_text(before + "# edited\n")
    bench.terraform.will("apply notebooks/n", failure("no"))
    assert apply(bench, stack).outcome == "failed"
    main.write_text(before)
    assert reasons(bench, stack) == ["the last apply did not finish"]
    assert apply(bench, stack).outcome == "applied"
    assert reasons(bench, stack) == []


def test_what_is_edited_while_it_is_applied_counts_as_changed(bench: Bench, stack: Stack) -> None:
    def edit() -> None:
        (stack.path / "main.tf").write_text("# edited\n")

    bench.terraform.will("apply notebooks/n", Answer(meanwhile=edit))
    assert apply(bench, stack).outcome == "applied"
    assert (
        "[notebooks/n] edited while it was applied, so it still counts as changed: "
        "notebooks/n/main.tf changed"
    ) in bench.told.lines
    assert reasons(bench, stack) == ["the last apply did not finish"]
    assert bench.run().records.unfinished(stack) is None  # nothing of it can be left


def test_a_record_that_cannot_be_written_is_a_warning(
    bench: Bench, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = LocalPlace.write

    def refuse(place: LocalPlace, content: bytes, suffix: str) -> None:
        if b'"serial"' in content:  # not the note with which the apply begins
            raise UserError("cannot write it: No space left on device")
        write(place, content, suffix)

    monkeypatch.setattr(LocalPlace, "write", refuse)
    assert apply(bench, stack).outcome == "applied"
    assert (
        "[notebooks/n] warning: applied, but not recorded, so the next run plans it again: "
        "cannot write it: No space left on device"
    ) in bench.told.lines


def test_a_missing_upstream_is_named_with_what_to_do(chain: Bench) -> None:
    chain.write("notebooks/n", "shared-infra/a", "shared-infra/b")
    result = run_stack(chain.run(option=" --local"), chain.stack("notebooks/n"))
    assert result.detail == (
        "shared-infra/a, shared-infra/b are not deployed yet; deploy first: "
        "tools deploy --local shared-infra/a shared-infra/b"
    )
    assert chain.terraform.calls == []


def test_an_upstream_that_was_destroyed_is_missing_too(chain: Bench) -> None:
    upstream = chain.stack("shared-infra/b")
    run_stack(chain.run(), upstream)
    assert run_stack(chain.run(destroy=True), upstream).outcome == "destroyed"
    assert (
        "shared-infra/b is not deployed yet"
        in run_stack(chain.run(), chain.stack("shared-infra/a")).detail
    )


def test_terraform_s_warnings_are_told(bench: Bench, stack: Stack) -> None:
    diagnostic = {"severity": "warning", "summary": "Value for undeclared variable"}
    event = {"type": "diagnostic", "@message": "", "diagnostic": diagnostic}
    bench.terraform.will("init notebooks/n", Answer([event]))
    bench.terraform.will("apply notebooks/n", Answer([event]))
    apply(bench, stack)
    line = "[notebooks/n] warning: Value for undeclared variable"
    assert bench.told.lines.count(line) == 2


def test_a_warning_that_repeats_is_told_once_with_its_number(bench: Bench, stack: Stack) -> None:
    def warning(summary: str, detail: str) -> Event:
        diagnostic = {"severity": "warning", "summary": summary, "detail": detail}
        return {"type": "diagnostic", "@message": "", "diagnostic": diagnostic}

    deprecated = [warning("Value derived from a deprecated source", f"a{n}") for n in range(72)]
    events = [*deprecated, warning("Another", "b")]
    bench.terraform.will("apply notebooks/n", Answer(events))
    bench.terraform.will("plan notebooks/n", Answer(events))
    told = [
        "[notebooks/n] warning: Value derived from a deprecated source: a0 (and 71 more like it)",
        "[notebooks/n] warning: Another: b",
    ]
    apply(bench, stack)
    assert [line for line in bench.told.lines if "warning" in line] == told
    plan_stacks(bench.run(refresh=True), [stack], bench.root)
    assert [line for line in bench.told.lines if "warning" in line] == told * 2


OUTPUTS = {
    "type": "outputs",
    "@message": "Outputs: 2",
    "outputs": {"x": {"action": "update"}, "y": {"action": "noop"}},
}
# As Terraform 1.11 and OpenTofu 1.12 say them.
IMPORTS = {**counts("apply"), "changes": {**counts("apply")["changes"], "import": 1}}
INVOKES = {**counts("apply"), "changes": {**counts("apply")["changes"], "action_invocation": 1}}


@pytest.mark.parametrize(
    ("events", "outcome", "detail"),
    [
        ([counts("plan"), OUTPUTS, counts("apply")], "applied", "outputs changed: x"),
        ([OUTPUTS, counts("apply", add=1)], "applied", ""),
        ([planned("a.b", "move"), counts("apply")], "applied", ""),
        ([planned("a.b", "invented"), counts("apply")], "applied", ""),
        ([IMPORTS], "applied", "import: 1"),
        ([INVOKES], "applied", "action_invocation: 1"),
        ([planned("data.a.b", "read"), planned("a.b", "noop"), counts("apply")], "unchanged", ""),
    ],
)
def test_what_is_not_a_resource_added_or_changed_is_a_change_too(
    bench: Bench, stack: Stack, events: list[Event], outcome: str, detail: str
) -> None:
    bench.terraform.will("apply notebooks/n", Answer(events))
    result = apply(bench, stack)
    assert (result.outcome, result.detail) == (outcome, detail)


def test_what_is_approved_or_saved_is_a_change_too(
    bench: Bench, stack: Stack, tmp_path: Path
) -> None:
    with_data(stack)
    bench.terraform.will("apply safely notebooks/n", Answer([counts("apply")]))
    assert apply(bench, stack).outcome == "applied"
    with_data(stack)
    bench.terraform.will("apply safely notebooks/n", Answer(destructive=True))
    bench.terraform.will("plan notebooks/n", Answer([counts("plan"), OUTPUTS]))
    bench.terraform.will("apply plan of notebooks/n", Answer([counts("apply")]))
    result = apply(bench, stack)
    assert (result.outcome, result.detail) == ("applied", "outputs changed: x")

    file = tmp_path / "notebooks.n.tfplan"
    inputs = bench.run().records.inputs(stack)
    for status, outcome in (("changed", "applied"), ("unchanged", "unchanged")):
        saved = {stack.name: Plan(stack.name, status, inputs=inputs, file=file)}  # type: ignore[arg-type]
        bench.terraform.will("apply notebooks.n.tfplan of notebooks/n", Answer([counts("apply")]))
        assert apply(bench, stack, saved=saved, exactly=True).outcome == outcome


def test_another_account_s_stack_is_applied_by_force_alone(bench: Bench, stack: Stack) -> None:
    bench.account = "123456789012"
    apply(bench, stack)
    bench.account = "210987654321"
    result = apply(bench, stack)
    assert (result.outcome, bench.terraform.calls) == ("failed", [])
    assert "its state is of account 123456789012, where it was applied, and this is 2109" in (
        result.detail
    )
    assert apply(bench, stack, force=True).outcome == "applied"


def test_a_full_disk_stops_before_terraform(
    bench: Bench, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.engine.preparation.MINIMUM_FREE", 1 << 60)
    result = apply(bench, stack)
    assert result.outcome == "failed"
    assert "make room first" in result.detail
    assert bench.terraform.calls == ["init notebooks/n"]


def test_a_state_that_is_cut_short_is_said(bench: Bench, stack: Stack) -> None:
    (stack.path / "terraform.tfstate").write_text("{")
    result = apply(bench, stack)
    assert result.outcome == "failed"
    assert "is not a complete Terraform state" in result.detail
    assert "[notebooks/n] error: " in bench.told.lines[0]


def with_data(stack: Stack) -> None:
    assert BUCKET in HOLDS_DATA
    write_state(stack.path, [BUCKET])


def test_an_apply_that_takes_no_data_away_needs_one_terraform(bench: Bench, stack: Stack) -> None:
    with_data(stack)
    assert apply(bench, stack).outcome == "applied"
    assert bench.terraform.calls == ["init notebooks/n", "apply safely notebooks/n"]


def test_an_apply_that_would_take_data_away_is_refused(bench: Bench, stack: Stack) -> None:
    with_data(stack)
    bench.terraform.will("apply safely notebooks/n", Answer(destructive=True))
    bench.terraform.will("plan notebooks/n", Answer([planned(f"{BUCKET}.this", "replace")]))
    result = apply(bench, stack)
    assert result.outcome == "failed"
    assert result.detail == (
        "would replace aws_s3_bucket.this, and the data goes with it; nothing was changed. "
        "If that is meant, add --allow-destroy"
    )
    assert bench.terraform.calls[-2:] == ["plan notebooks/n", "show notebooks/n"]


def test_what_destroys_something_without_data_is_applied(bench: Bench, stack: Stack) -> None:
    with_data(stack)
    bench.terraform.will("apply safely notebooks/n", Answer(destructive=True))
    bench.terraform.will("plan notebooks/n", Answer([planned("aws_iam_role.this", "delete")]))
    assert apply(bench, stack).outcome == "applied"
    assert bench.terraform.calls[-3:] == [
        "plan notebooks/n",
        "show notebooks/n",
        "apply plan of notebooks/n",
    ]


def test_who_allows_it_needs_no_second_look(bench: Bench, stack: Stack) -> None:
    with_data(stack)
    assert apply(bench, stack, allow_destroy=True).outcome == "applied"
    assert bench.terraform.calls[-1] == "apply notebooks/n"


def test_who_has_seen_plans_has_allowed_what_was_in_them(
    bench: Bench, stack: Stack, tmp_path: Path
) -> None:
    with_data(stack)
    file = tmp_path / "notebooks.n.tfplan"
    inputs = bench.run().records.inputs(stack)
    saved = {stack.name: Plan(stack.name, "changed", inputs=inputs, file=file)}
    (stack.path / "main.tf").write_text("# edited since\n")
    bench.terraform.will("apply safely notebooks/n", Answer(destructive=True))
    bench.terraform.will("plan notebooks/n", Answer([planned(f"{BUCKET}.this", "delete")]))
    result = apply(bench, stack, allow_destroy=True, saved=saved)
    assert "this was not in the plans that you saw: run it again" in result.detail
    # Nothing was edited since: what was seen is applied, without another look.
    saved = {stack.name: Plan(stack.name, "changed", inputs=bench.run().records.inputs(stack))}
    saved = {stack.name: Plan(**{**vars(saved[stack.name]), "file": file})}
    assert apply(bench, stack, allow_destroy=True, saved=saved).outcome == "applied"
    assert bench.terraform.calls == ["apply notebooks.n.tfplan of notebooks/n"]


def test_a_state_that_nothing_here_can_read_may_hold_data(bench: Bench, stack: Stack) -> None:
    (stack.path / "override.tf").write_text("")
    apply(bench, stack)
    assert bench.terraform.calls == ["init notebooks/n", "apply safely notebooks/n"]


def test_what_an_import_block_brings_in_may_hold_data(bench: Bench, stack: Stack) -> None:
    block = 'import {\n  to = aws_s3_bucket.this\n  id = "b"\n}\n'
    (stack.path / "imports.tf").write_text(block)
    apply(bench, stack)
    assert bench.terraform.calls == ["init notebooks/n", "apply safely notebooks/n"]


def test_to_destroy_what_was_never_deployed_is_no_error(bench: Bench, stack: Stack) -> None:
    result = apply(bench, stack, destroy=True)
    assert (result.outcome, result.detail) == ("unchanged", "nothing to destroy")
    assert bench.terraform.calls == []


def test_a_locked_state_is_left_to_terraform_though_it_is_empty(bench: Bench, stack: Stack) -> None:
    (stack.path / ".terraform.tfstate.lock.info").write_text('{"ID": "1"}')
    bench.terraform.will("destroy notebooks/n", failure("Error acquiring the state lock"))
    result = apply(bench, stack, destroy=True, option=" --local")
    assert result.detail.endswith("tools state unlock --local notebooks/n")
    assert bench.terraform.calls == ["init notebooks/n", "destroy notebooks/n"]


def test_a_state_that_an_earlier_run_could_not_write_is_written_first(
    bench: Bench, stack: Stack
) -> None:
    apply(bench, stack)
    state = json.loads((stack.path / "terraform.tfstate").read_text())
    (stack.path / "errored.tfstate").write_text(json.dumps({**state, "serial": 7}))
    apply(bench, stack, refresh=True)
    assert bench.terraform.calls == ["state push notebooks/n", "apply notebooks/n"]
    assert json.loads((stack.path / "terraform.tfstate").read_text())["serial"] == 8
    assert (stack.path / "pushed-errored.tfstate").exists()
    assert not (stack.path / "errored.tfstate").exists()


def test_a_state_that_was_kept_encrypted_is_left_where_it_is(bench: Bench, stack: Stack) -> None:
    # As OpenTofu 1.12.6 leaves it, and refuses it.
    kept = '{"serial": 7, "lineage": "l", "encrypted_data": "KNbF", "encryption_version": "v0"}'
    errored = stack.path / "errored.tfstate"
    errored.write_text(kept)
    refusal = "This state file is encrypted"
    bench.terraform.will("state push notebooks/n", failure("Failed to read source state", refusal))
    result = apply(bench, stack)
    assert (result.outcome, result.detail) == (
        "failed",
        f"{errored} holds a newer state than {stack.path}/terraform.tfstate, and is encrypted: "
        "Failed to read source state: This state file is encrypted; keep a copy of both, then put "
        "it there yourself",
    )
    assert errored.read_text() == kept


def test_a_state_that_was_kept_but_is_cut_short_is_not_used(bench: Bench, stack: Stack) -> None:
    (stack.path / "errored.tfstate").write_text("{")
    result = apply(bench, stack)
    assert result.outcome == "failed"
    assert "errored.tfstate is cut short, as on a full disk, and cannot be used" in result.detail
    assert bench.terraform.calls == []
