"""What an earlier run may have left, and what is still in use."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.engine.conftest import Bench, Sleepless
from tests.unit.engine.fake_terraform import Answer, failure, write_state
from tools.engine.in_use import refuse_in_use
from tools.engine.preparation import OWNER, await_earlier_terraform, prepare, prepare_ahead
from tools.engine.run import Run
from tools.errors import UserError
from tools.layout.stack import Stack
from tools.state.place import ERRORED
from tools.system import processes
from tools.terraform.diagnostics import NotAwaitedError


class Ending(Sleepless):
    """Ends a process of the test's when it is waited for, or stops the wait."""

    def __init__(self, process: "subprocess.Popen[bytes] | None") -> None:
        super().__init__()
        self._process = process

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if self._process is None:
            self.note(2, None)
        else:
            self._process.kill()
            self._process.wait()


def noted(run: Run, pid: int, name: str, of_run: str = "earlier") -> Path:
    """What an earlier run notes of a Terraform."""
    file = run.logs.parent / of_run / name
    file.parent.mkdir(parents=True, exist_ok=True)
    processes.write_note(pid, file)
    return file


def test_a_terraform_of_a_killed_run_is_waited_for(
    bench: Bench, leftover: "subprocess.Popen[bytes]"
) -> None:
    stack = bench.write("notebooks/n")
    run = replace(bench.run(), interruption=Ending(leftover))
    assert run.records.state(stack) is None
    noted(run, leftover.pid, "notebooks.n.apply.pid")
    write_state(stack.path)
    prepare(run, stack)
    assert leftover.poll() is not None
    assert f"Terraform (process {leftover.pid}) still works on it" in bench.told.lines[0]
    assert run.records.state(stack) is not None  # read again: that Terraform has written it
    assert bench.terraform.calls == ["init notebooks/n"]


def test_a_stack_without_a_record_is_prepared_ahead(bench: Bench) -> None:
    deprecated = {"severity": "warning", "summary": "Argument is deprecated", "detail": ""}
    events = [
        {"type": "text", "@message": "not JSON"},
        {"type": "diagnostic", "diagnostic": deprecated},
    ]
    bench.terraform.will("init notebooks/n", Answer(events=events))
    prepare_ahead(bench.run(), bench.write("notebooks/n"))
    assert bench.terraform.calls == ["init notebooks/n"]
    assert bench.told.lines == [
        "[notebooks/n] not JSON",
        "[notebooks/n] warning: Argument is deprecated",
    ]
    assert bench.told.steps == []


def test_nothing_is_done_ahead_where_something_is_left_or_done(
    bench: Bench, leftover: "subprocess.Popen[bytes]"
) -> None:
    run = bench.run()
    errored, applied, at_work = (bench.write(f"notebooks/{n}") for n in ("errored", "applied", "n"))
    (errored.path / ERRORED).write_text("{}")
    write_state(applied.path)
    run.records.record_apply(applied, run.records.inputs(applied))
    noted(run, leftover.pid, "notebooks.n.apply.pid")
    for stack in (errored, applied, at_work):
        prepare_ahead(run, stack)
    other = bench.write("notebooks/other")
    prepare_ahead(replace(run, gone=lambda: "LocalStack ended"), other)
    bench.interruption.note(2, None)
    prepare_ahead(run, other)
    assert bench.terraform.calls == []
    assert bench.told.lines == []


def test_an_interruption_ends_the_wait(bench: Bench, leftover: "subprocess.Popen[bytes]") -> None:
    run = replace(bench.run(), interruption=Ending(None))
    noted(run, leftover.pid, "notebooks.n.apply.pid")
    with pytest.raises(NotAwaitedError, match=f"process {leftover.pid}.*still works on it"):
        prepare(run, bench.write("notebooks/n"))
    assert leftover.poll() is None
    assert bench.terraform.calls == []


def test_an_interrupted_wait_is_no_answer_to_what_is_in_use(
    bench: Bench, leftover: "subprocess.Popen[bytes]"
) -> None:
    """Of a stack whose place is not known Terraform itself would be asked what it holds."""
    shared = bench.write("shared-infra/b")
    stack = bench.write(
        "notebooks/n", "shared-infra/b", text='terraform {\n  backend "http" {}\n}\n'
    )
    run = replace(bench.run(destroy=True), interruption=Ending(None))
    noted(run, leftover.pid, "notebooks.n.apply.pid")
    with pytest.raises(NotAwaitedError) as end:
        refuse_in_use(run, [shared], [shared, stack])
    assert end.value.exit_code == 130


@pytest.mark.parametrize(
    ("name", "of_run"),
    [
        ("notebooks.other.apply.pid", "earlier"),  # of another stack
        ("notebooks.n.apply.pid", "run"),  # of this run
    ],
)
def test_another_terraform_is_not_waited_for(
    bench: Bench, leftover: "subprocess.Popen[bytes]", name: str, of_run: str
) -> None:
    run = bench.run()
    noted(run, leftover.pid, name, of_run)
    await_earlier_terraform(run, bench.write("notebooks/n"))
    assert bench.interruption.slept == []


def test_a_terraform_whose_run_lives_is_no_leftover(
    bench: Bench, leftover: "subprocess.Popen[bytes]"
) -> None:
    run = bench.run()
    noted(run, leftover.pid, "notebooks.n.apply.pid")
    noted(run, leftover.pid, OWNER)
    await_earlier_terraform(run, bench.write("notebooks/n"))
    assert bench.interruption.slept == []


def deployed(bench: Bench) -> tuple[Run, Stack]:
    """notebooks/n, which reads shared-infra/b, and a run in which b is to be destroyed."""
    bench.write("shared-infra/b")
    stack = bench.write("notebooks/n", "shared-infra/b")
    return bench.run(option=" --local"), stack


def refuse(bench: Bench, run: Run) -> None:
    refuse_in_use(run, [bench.stack("shared-infra/b")], bench.stacks())


def test_what_a_deployed_stack_reads_is_not_destroyed(bench: Bench) -> None:
    run, stack = deployed(bench)
    refuse(bench, run)  # not deployed
    write_state(stack.path)
    with pytest.raises(UserError) as error:
        refuse(bench, bench.run(option=" --local"))
    assert str(error.value) == (
        "notebooks/n is deployed and uses shared-infra/b; "
        "destroy it first: tools destroy --local notebooks/n"
    )
    refuse_in_use(bench.run(), bench.stacks(), bench.stacks())  # both go


@pytest.mark.parametrize("file", ["errored.tfstate", ".terraform.tfstate.lock.info"])
def test_what_may_be_deployed_counts(bench: Bench, file: str) -> None:
    run, stack = deployed(bench)
    (stack.path / file).write_text("{}")
    with pytest.raises(UserError, match="notebooks/n is deployed"):
        refuse(bench, run)


def test_terraform_is_asked_for_a_state_that_nothing_here_can_read(bench: Bench) -> None:
    run, stack = deployed(bench)
    (stack.path / "override.tf").write_text("")
    refuse(bench, run)
    asked = ["init notebooks/n", "state list notebooks/n", "workspace list notebooks/n"]
    assert bench.terraform.calls == asked
    write_state(stack.path)
    with pytest.raises(UserError, match="notebooks/n is deployed"):
        refuse(bench, run)
    bench.terraform.will("init notebooks/n", failure("no"))
    with pytest.raises(UserError, match="cannot tell whether notebooks/n is deployed: no"):
        refuse(bench, replace(run, force=True))
