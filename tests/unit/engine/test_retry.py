"""What is tried again, how often, and after how long."""

import pytest

from tests.unit.engine.conftest import Bench
from tests.unit.engine.fake_terraform import Answer, failure, write_state
from tools.engine.apply import run_stack
from tools.engine.retry import retry_transient
from tools.layout.stack import Stack
from tools.system.signals import Interruption
from tools.terraform.diagnostics import TerraformError

THROTTLED = failure("creating S3 bucket", "StatusCode: 503, api error SlowDown: slow down")


@pytest.fixture
def stack(bench: Bench) -> Stack:
    return bench.write("notebooks/n")


@pytest.mark.parametrize(
    "detail",
    [
        "api error Throttling: Rate exceeded",
        "https response error StatusCode: 429",
        "api error InternalFailure",
        "read: connection reset by peer",
        "dial tcp: lookup sts.amazonaws.com: no such host",
        # As provider 5.100 passes on what AWS says of a role that is seconds old.
        "operation error SageMaker: CreateNotebookInstance, https response error StatusCode: 400, "
        "RequestID: 1, api error ValidationException: Could not assume role arn:aws:iam::1:role/n.",
    ],
)
def test_an_error_that_passes_is_tried_again(bench: Bench, stack: Stack, detail: str) -> None:
    bench.terraform.will("apply notebooks/n", failure("no", detail), failure("no", detail))
    assert run_stack(bench.run(backoff=(5, 15, 45)), stack).outcome == "applied"
    assert bench.interruption.slept == [5, 15]
    assert f"[notebooks/n] no: {detail}; trying again in 15 s" in bench.told.lines


@pytest.mark.parametrize(
    "detail",
    [
        "api error AccessDenied",
        "StatusCode: 400, InvalidParameter",
        "StatusCode: 5030",
        "Could not assume role",
    ],
)
def test_an_error_that_stays_is_not(bench: Bench, stack: Stack, detail: str) -> None:
    bench.terraform.will("apply notebooks/n", failure("no", detail))
    assert run_stack(bench.run(), stack).detail == f"no: {detail}"
    assert bench.interruption.slept == []


def test_an_error_that_does_not_pass_in_time_is_the_result(bench: Bench, stack: Stack) -> None:
    bench.terraform.will("apply notebooks/n", *[THROTTLED] * 4)
    result = run_stack(bench.run(backoff=(5, 15, 45)), stack)
    assert (result.outcome, bench.interruption.slept) == ("failed", [5, 15, 45])
    assert bench.terraform.calls.count("apply notebooks/n") == 4


def test_nothing_is_tried_again_once_interrupted(bench: Bench, stack: Stack) -> None:
    answer = Answer(errors=THROTTLED.errors, meanwhile=lambda: bench.interruption.note(2, None))
    bench.terraform.will("apply notebooks/n", answer)
    assert run_stack(bench.run(), stack).detail == "interrupted"
    assert bench.terraform.calls.count("apply notebooks/n") == 1


def test_nothing_is_tried_again_once_the_local_cloud_has_ended(bench: Bench, stack: Stack) -> None:
    bench.terraform.will("apply notebooks/n", THROTTLED)
    result = run_stack(bench.run(gone=lambda: "LocalStack ended"), stack)
    assert (result.outcome, bench.interruption.slept) == ("failed", [])


def test_after_each_attempt_the_state_is_read_again(bench: Bench, stack: Stack) -> None:
    run = bench.run()

    def attempt() -> int:
        state = run.records.state(stack)
        write_state(stack.path)
        if state is None:
            raise TerraformError(list(THROTTLED.errors))
        return state.serial

    assert retry_transient(run, stack, attempt) == 1
    state = run.records.state(stack)
    assert state is not None
    assert state.serial == 2


def test_a_terraform_that_wants_an_init_gets_one(bench: Bench, stack: Stack) -> None:
    run_stack(bench.run(), stack)
    bench.terraform.calls.clear()
    bench.terraform.will(
        "apply notebooks/n", failure("Inconsistent dependency lock file", 'run "terraform init"')
    )
    assert run_stack(bench.run(refresh=True), stack).outcome == "applied"
    assert bench.terraform.calls == ["apply notebooks/n", "init notebooks/n", "apply notebooks/n"]


def test_sleep_ends_with_an_interruption() -> None:
    interruption = Interruption()
    interruption.sleep(0)
    interruption.note(2, None)
    interruption.sleep(3600)
