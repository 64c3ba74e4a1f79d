"""An apply that did not finish is known, and what it may have left keeps a stack from destruction.

That AWS has what was left, and that `tools adopt` takes it in, is tests/faults/test_kills.py's.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.unit.engine.conftest import Bench
from tests.unit.engine.fake_terraform import Answer, done, failure, write_state
from tools.aws import lookup
from tools.aws.client import Cloud
from tools.engine.apply import run_stack
from tools.engine.in_use import refuse_in_use
from tools.engine.run import Result
from tools.errors import UserError
from tools.layout.stack import Stack
from tools.runs.listing import read_rows
from tools.state.place import RECORD_SUFFIX
from tools.terraform.diagnostics import Diagnostic
from tools.terraform.text import Event, event_of_text

NOTEBOOK = "aws_sagemaker_notebook_instance"
CREATES: Event = {"type": "apply_start", "@message": "", "hook": {"action": "create"}}
CHANGES: Event = {"type": "apply_start", "@message": "", "hook": {"action": "update"}}


@pytest.fixture
def stack(bench: Bench) -> Stack:
    return bench.write("notebooks/n", text='variable "name" {\n  default = "n"\n}\n')


def fail(bench: Bench, stack: Stack, *events: Event) -> Result:
    """An apply that fails after `events`."""
    errors = [Diagnostic("no")]
    bench.terraform.will(f"apply {stack.name}", Answer(events, errors))
    return run_stack(bench.run(allow_destroy=True), stack)


def reasons(bench: Bench, stack: Stack) -> list[str]:
    return bench.run().records.reasons_to_apply(stack)


def destroy(bench: Bench, stack: Stack) -> Result:
    bench.terraform.calls.clear()
    return run_stack(bench.run(destroy=True, option=" --local", region="us-east-1"), stack)


def test_an_apply_that_began_to_create_is_unfinished_until_one_succeeds(
    bench: Bench, stack: Stack
) -> None:
    fail(bench, stack, CREATES)
    assert reasons(bench, stack) == ["its first apply did not finish"]
    (row,) = read_rows(bench.run().records, [stack])
    assert (row.status, row.why) == ("unfinished", ("its first apply did not finish",))
    assert run_stack(bench.run(), stack).outcome == "applied"
    assert reasons(bench, stack) == []
    assert bench.run().records.unfinished(stack) is None


@pytest.mark.parametrize(
    "events", [(), (CHANGES, done("a.b")), (event_of_text("a.b: Modifying...\n"),)]
)
def test_an_apply_that_created_nothing_leaves_no_note(
    bench: Bench, stack: Stack, events: Any
) -> None:
    fail(bench, stack, *events)
    assert reasons(bench, stack) == ["never applied"]


def test_a_creation_is_seen_in_terraform_s_text_too(bench: Bench, stack: Stack) -> None:
    fail(bench, stack, event_of_text('a.b["x"]: Creating...\n'))
    assert reasons(bench, stack) == ["its first apply did not finish"]


def test_a_note_outlives_a_failure_that_made_nothing_and_an_import(
    bench: Bench, stack: Stack
) -> None:
    fail(bench, stack, CREATES)
    fail(bench, stack)
    bench.run().records.delete_record(stack)
    assert bench.run().records.unfinished(stack) is not None


def planned_to_create(kind: str, values: dict[str, Any]) -> dict[str, Any]:
    change = {"actions": ["create"], "after": values}
    return {
        "resource_changes": [
            {"mode": "managed", "type": kind, "address": f"{kind}.this", "change": change}
        ],
        "variables": {"region": {"value": "eu-west-1"}},
        "configuration": {
            "provider_config": {"aws": {"expressions": {"region": {"references": ["var.region"]}}}}
        },
    }


class Aws:
    """Has the notebook n in eu-west-1, and nothing else."""

    def identifier(self, cloud: Cloud, kind: str, values: Mapping[str, Any]) -> str | None:
        if kind == NOTEBOOK and values["name"] == "denied":
            raise UserError("AWS does not let you")
        is_there = (cloud.region, kind, values.get("name")) == ("eu-west-1", NOTEBOOK, "n")
        return "n" if is_there else None


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    [
        (NOTEBOOK, {"name": "n"}, f"AWS has what no state holds: {NOTEBOOK}.this (n); nothing was"),
        (
            NOTEBOOK,
            {"name": "denied"},
            "what is in AWS and in no state cannot be told: AWS does not let you; ",
        ),
        (NOTEBOOK, {}, f"nothing tells whether AWS has {NOTEBOOK}.this; "),
        # Nothing tells keys apart.
        ("aws_kms_key", {}, "nothing tells whether AWS has aws_kms_key.this; "),
        ("aws_of_tomorrow", {}, "nothing tells whether AWS has aws_of_tomorrow.this; "),
    ],
)
def test_what_it_left_or_may_have_left_is_not_destroyed_around(
    bench: Bench,
    stack: Stack,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    values: dict[str, Any],
    words: str,
) -> None:
    monkeypatch.setattr(lookup, "identifier", Aws().identifier)
    fail(bench, stack, CREATES)
    bench.terraform.plan_json.update(planned_to_create(kind, values))
    result = destroy(bench, stack)
    assert result.outcome == "failed"
    assert words in result.detail
    assert "tools adopt --local notebooks/n" in result.detail
    assert "destroy notebooks/n" not in bench.terraform.calls
    assert bench.run().records.unfinished(stack) is not None


def test_a_state_that_is_missing_beside_its_record_is_looked_for_too(
    bench: Bench, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "identifier", Aws().identifier)
    run_stack(bench.run(), stack)
    (stack.path / "terraform.tfstate").unlink()
    (row,) = read_rows(bench.run().records, [stack])
    assert row.status == "unknown"
    assert row.why[0].startswith("its state is missing, though it was applied at 20")
    bench.terraform.plan_json.update(planned_to_create(NOTEBOOK, {"name": "n"}))
    result = destroy(bench, stack)
    assert result.outcome == "failed"
    assert f"AWS has what no state holds: {NOTEBOOK}.this (n)" in result.detail


def hide_by_an_override(bench: Bench, stack: Stack) -> None:
    (stack.path / "override.tf").write_text('terraform {\n  backend "local" {}\n}\n')


def select_a_workspace(bench: Bench, stack: Stack) -> None:
    (stack.path / ".terraform").mkdir(exist_ok=True)
    (stack.path / ".terraform/environment").write_text("staging")


def move_the_state(bench: Bench, stack: Stack) -> None:
    text = 'terraform {\n  backend "local" {\n    path = "states/x.tfstate"\n  }\n}\n'
    (stack.path / "backend.tf").write_text(text)


@pytest.mark.parametrize(
    ("hide", "when"),
    [
        (hide_by_an_override, "before"),
        (hide_by_an_override, "after"),
        (select_a_workspace, "before"),
        (move_the_state, "before"),
        (move_the_state, "after"),
    ],
)
def test_an_apply_is_noted_wherever_the_state_is(
    bench: Bench,
    stack: Stack,
    monkeypatch: pytest.MonkeyPatch,
    hide: Callable[[Bench, Stack], None],
    when: str,
) -> None:
    monkeypatch.setattr(lookup, "identifier", Aws().identifier)
    if when == "before":
        hide(bench, stack)
    fail(bench, stack, CREATES)
    if when == "after":
        hide(bench, stack)
    assert "did not finish" in reasons(bench, stack)[0]
    bench.terraform.plan_json.update(planned_to_create(NOTEBOOK, {"name": "n"}))
    result = destroy(bench, stack)
    assert result.outcome == "failed"
    assert f"AWS has what no state holds: {NOTEBOOK}.this (n)" in result.detail
    assert run_stack(bench.run(force=True), stack).outcome == "applied"
    assert bench.run().records.unfinished(stack) is None


def test_each_workspace_has_a_note_of_its_own(
    bench: Bench, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "identifier", Aws().identifier)
    fail(bench, stack, CREATES)
    select_a_workspace(bench, stack)
    bench.terraform.plan_json.update(planned_to_create(NOTEBOOK, {"name": "other"}))
    result = destroy(bench, stack)
    assert f"{stack.path}/terraform.tfstate may hold more of it" in result.detail
    assert run_stack(bench.run(force=True), stack).outcome == "applied"
    (stack.path / ".terraform/environment").unlink()
    assert reasons(bench, stack) == ["the last apply did not finish"]  # by another state, here


def test_after_an_apply_elsewhere_no_note_is_left(bench: Bench, stack: Stack) -> None:
    fail(bench, stack, CREATES)
    move_the_state(bench, stack)
    assert run_stack(bench.run(), stack).outcome in ("applied", "unchanged")
    assert bench.run().records.unfinished(stack) is None


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "",
        lambda text: "[]",
        lambda text: "[" * 200_000,
        lambda text: text.replace('"account": ""', '"account": {"x": 1}'),
        lambda text: text.replace('"began"', '"region": "x", "started"'),
        lambda text: text.replace('"versions": {', '"versions": null, "x": {'),
    ],
    ids=["cut", "empty", "a list", "too deep", "no account", "of another version", "no versions"],
)
def test_a_note_that_cannot_be_read_is_one(
    bench: Bench, stack: Stack, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[str], str]
) -> None:
    monkeypatch.setattr(lookup, "identifier", Aws().identifier)
    fail(bench, stack, CREATES)
    note = stack.path / f"terraform.tfstate{RECORD_SUFFIX}"
    note.write_text(spoil(note.read_text()))
    bench.terraform.plan_json.update(planned_to_create(NOTEBOOK, {"name": "other"}))
    result = destroy(bench, stack)
    assert result.outcome == "failed"
    assert "nothing tells what it made (what it read is not known)" in result.detail
    assert note.exists()
    (row,) = read_rows(bench.run().records, [stack])
    assert row.status == "unfinished"


def test_a_lost_state_is_not_forgotten_by_an_apply_that_fails(
    bench: Bench, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "identifier", Aws().identifier)
    run_stack(bench.run(), stack)
    (stack.path / "terraform.tfstate").unlink()
    fail(bench, stack)  # before it creates anything
    bench.terraform.plan_json.update(planned_to_create(NOTEBOOK, {"name": "other"}))
    assert "nothing tells what it made" in destroy(bench, stack).detail


def test_an_empty_state_of_another_lineage_is_a_lost_one(
    bench: Bench, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a plain apply that fails leaves it."""
    monkeypatch.setattr(lookup, "identifier", Aws().identifier)
    run_stack(bench.run(), stack)
    (stack.path / "terraform.tfstate").unlink()
    write_state(stack.path, (), lineage="another")
    bench.terraform.plan_json.update(planned_to_create(NOTEBOOK, {"name": "n"}))
    result = destroy(bench, stack)
    assert f"AWS has what no state holds: {NOTEBOOK}.this (n)" in result.detail
    assert "its state is another one than what was applied at 20" in result.detail


def test_what_an_apply_without_changes_forgets_is_said(bench: Bench, stack: Stack) -> None:
    """Terraform asks for no approval then, and the note goes."""
    fail(bench, stack, CREATES)
    edit(bench, stack)
    result = run_stack(bench.run(), stack)
    assert "what it made may be in AWS and in no state; look for it: tools status" in result.detail
    assert "(notebooks/n/main.tf changed)" in result.detail


def test_an_apply_in_another_account_forgets_nothing_of_the_first(
    bench: Bench, stack: Stack
) -> None:
    bench.account = "111111111111"
    fail(bench, stack, CREATES)
    bench.account = "222222222222"
    bench.terraform.will(f"apply {stack.name}", Answer([CREATES], [Diagnostic("no")]))
    run_stack(bench.run(force=True), stack)
    assert "its state is of account 111111111111" in destroy(bench, stack).detail


@pytest.mark.parametrize("file", ["notebooks/n/name.txt", "../name.txt", "notebooks/n/x.tfvars"])
def test_a_name_may_come_from_a_file(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    monkeypatch.setattr(lookup, "identifier", Aws().identifier)
    path = f"../../{file}"
    stack = bench.write("notebooks/n", text=f'output "x" {{\n  value = file("{path}")\n}}\n')
    (bench.root / file).write_text("n")
    bench.terraform.plan_json.update(planned_to_create(NOTEBOOK, {"name": "other"}))
    fail(bench, stack, CREATES)
    assert destroy(bench, stack).detail == "nothing to destroy"
    fail(bench, stack, CREATES)
    (bench.root / file).write_text("other")
    assert f"nothing tells what it made ({file} changed); " in destroy(bench, stack).detail


def test_where_an_apply_may_write_tells_nothing_of_what_it_made(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A path in a text is an input, but no expression reads it."""
    monkeypatch.setattr(lookup, "identifier", Aws().identifier)
    made = tmp_path.parent / f"{tmp_path.name}-made"
    stack = bench.write("notebooks/n", text=f'locals {{\n  made = "{made}"\n}}\n')
    bench.terraform.plan_json.update(planned_to_create(NOTEBOOK, {"name": "other"}))
    fail(bench, stack, CREATES)
    made.write_text("made")
    assert destroy(bench, stack).detail == "nothing to destroy"


def test_of_a_lost_state_the_files_cannot_be_compared(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state's lineage is the key of their digests."""
    monkeypatch.setattr(lookup, "identifier", Aws().identifier)
    stack = bench.write("notebooks/n", text='output "x" {\n  value = file("name.txt")\n}\n')
    (stack.path / "name.txt").write_text("n")
    run_stack(bench.run(), stack)
    (stack.path / "terraform.tfstate").unlink()
    bench.terraform.plan_json.update(planned_to_create(NOTEBOOK, {"name": "other"}))
    detail = destroy(bench, stack).detail
    assert "nothing tells what it made (notebooks/n/name.txt cannot be compared); " in detail


def test_a_stack_that_cannot_be_planned_is_unknown(bench: Bench, stack: Stack) -> None:
    fail(bench, stack, CREATES)
    bench.terraform.will("plan notebooks/n", failure("broken"))
    result = destroy(bench, stack)
    assert (result.outcome, "cannot be told: broken" in result.detail) == ("failed", True)
    assert bench.terraform.calls == ["plan notebooks/n"]


def edit(bench: Bench, stack: Stack) -> None:
    (stack.path / "main.tf").write_text("# edited\n")


def set_variable(bench: Bench, stack: Stack) -> None:
    bench.terraform = replace(bench.terraform, env={**bench.terraform.env, "TF_VAR_name": "other"})


def apply_others_in_vain(bench: Bench, stack: Stack) -> None:
    text = (stack.path / "main.tf").read_text()
    edit(bench, stack)
    fail(bench, stack, CREATES)
    (stack.path / "main.tf").write_text(text)


def leave_a_note_of_an_earlier_version(bench: Bench, stack: Stack) -> None:
    note = stack.path / f"terraform.tfstate{RECORD_SUFFIX}"
    document = json.loads(note.read_text())
    del document["unfinished"]["inputs"]
    note.write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (edit, "notebooks/n/main.tf changed"),
        (set_variable, "environment variable TF_VAR_name is new"),
        (apply_others_in_vain, "what it read is not known"),
        (leave_a_note_of_an_earlier_version, "what it read is not known"),
    ],
)
def test_what_a_changed_stack_would_make_does_not_tell_what_it_made(
    bench: Bench,
    stack: Stack,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Bench, Stack], None],
    reason: str,
) -> None:
    """The instance was called n, and the plan of now creates another: AWS has nothing like it."""
    monkeypatch.setattr(lookup, "identifier", Aws().identifier)
    fail(bench, stack, CREATES)
    change(bench, stack)
    bench.terraform.plan_json.update(planned_to_create(NOTEBOOK, {"name": "other"}))
    result = destroy(bench, stack)
    assert result.outcome == "failed"
    assert f"nothing tells what it made ({reason}); nothing was destroyed" in result.detail
    assert "tools adopt --local notebooks/n" in result.detail
    assert bench.run().records.unfinished(stack) is not None
    assert run_stack(bench.run(), stack).outcome == "applied"
    said = [line for line in bench.told.lines if f"did not finish ({reason})" in line]
    assert "may be in AWS and in no state" in said[-1]
    assert bench.run().records.unfinished(stack) is None  # a person was told


def test_each_plan_of_what_is_not_known_may_create_something_else(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "identifier", Aws().identifier)
    stack = bench.write("notebooks/n", text="locals {\n  now = timestamp()\n}\n")
    fail(bench, stack, CREATES)
    bench.terraform.plan_json.update(planned_to_create(NOTEBOOK, {"name": "other"}))
    assert "nothing tells what it made (it may read what is not" in destroy(bench, stack).detail


def test_another_version_of_terraform_makes_the_same(
    bench: Bench, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "identifier", Aws().identifier)
    fail(bench, stack, CREATES)
    bench.terraform = replace(bench.terraform, version=(1, 99, 0))
    bench.terraform.plan_json.update(planned_to_create(NOTEBOOK, {"name": "other"}))
    assert destroy(bench, stack).detail == "nothing to destroy"


def test_what_it_made_in_another_account_is_not_looked_for_in_this_one(
    bench: Bench, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "identifier", Aws().identifier)
    bench.account = "111111111111"
    fail(bench, stack, CREATES)
    bench.account = "222222222222"
    result = destroy(bench, stack)
    assert result.outcome == "failed"
    assert "its state is of account 111111111111" in result.detail
    assert bench.run().records.unfinished(stack) is not None


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (NOTEBOOK, {"name": "other"}),
        ("terraform_data", {}),
        ("aws_s3_bucket_versioning", {"bucket": "b"}),
    ],
)
def test_nothing_left_is_destroyed_as_ever(
    bench: Bench, stack: Stack, monkeypatch: pytest.MonkeyPatch, kind: str, values: dict[str, Any]
) -> None:
    monkeypatch.setattr(lookup, "identifier", Aws().identifier)
    fail(bench, stack, CREATES)
    bench.terraform.plan_json.update(planned_to_create(kind, values))
    assert destroy(bench, stack).detail == "nothing to destroy"
    assert reasons(bench, stack) == ["never applied"]


def test_what_an_unfinished_stack_reads_is_in_use(bench: Bench) -> None:
    upstream, reader = bench.write("shared-infra/b"), bench.write("notebooks/n", "shared-infra/b")
    run_stack(bench.run(), upstream)
    refuse_in_use(bench.run(), [upstream], [upstream, reader])
    fail(bench, reader, CREATES)
    with pytest.raises(UserError, match="notebooks/n is deployed and uses shared-infra/b"):
        refuse_in_use(bench.run(), [upstream], [upstream, reader])
