"""The order of a run, its failures and its interruption, without Terraform."""

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from tests.unit.engine.conftest import Bench
from tests.unit.engine.fake_terraform import Answer, begun, counts, done, failure
from tools.engine import scheduler
from tools.engine.plans import Plan
from tools.engine.run import Result, Run
from tools.engine.scheduler import default_jobs, run_stacks
from tools.layout.stack import Stack
from tools.system import processes

PATIENCE = 300.0
"""Seconds after which a wait is given up, however busy the machine is."""


def outcomes(results: list[Result]) -> dict[str, str]:
    return {result.stack: result.outcome for result in results}


def details(results: list[Result]) -> dict[str, str]:
    return {result.stack: result.detail for result in results}


def work(bench: Bench) -> list[str]:
    """What Terraform did, without inits."""
    return [call for call in bench.terraform.calls if not call.startswith("init")]


def test_upstream_comes_first_and_a_second_run_does_nothing(chain: Bench) -> None:
    results = run_stacks(chain.run(), chain.stacks())
    assert set(outcomes(results).values()) == {"applied"}
    order = [name.removeprefix("apply ") for name in work(chain)]
    assert order.index("shared-infra/b") < order.index("shared-infra/a")
    assert order.index("shared-infra/a") < order.index("notebooks/n")
    assert chain.told.outcomes == outcomes(results)
    chain.terraform.calls.clear()
    again = run_stacks(chain.run(), chain.stacks())
    assert outcomes(again) == dict.fromkeys(outcomes(results), "unchanged")
    assert chain.terraform.calls == []


def test_a_destroy_goes_the_other_way_round(chain: Bench) -> None:
    run_stacks(chain.run(), chain.stacks())
    chain.terraform.calls.clear()
    results = run_stacks(chain.run(destroy=True), chain.stacks())
    assert set(outcomes(results).values()) == {"destroyed"}
    destroyed = [call for call in chain.terraform.calls if call.startswith("destroy")]
    order = [call.removeprefix("destroy ") for call in destroyed]
    assert order.index("notebooks/n") < order.index("shared-infra/a")
    assert order.index("shared-infra/a") < order.index("shared-infra/b")


def test_what_needs_a_failed_stack_is_not_run_and_the_others_are(chain: Bench) -> None:
    chain.terraform.will("apply shared-infra/a", failure("no", file="main.tf", line=2))
    results = run_stacks(chain.run(), chain.stacks())
    assert outcomes(results) == {
        "shared-infra/b": "applied",
        "shared-infra/a": "failed",
        "notebooks/n": "not run",
        "notebooks/m": "applied",
    }
    assert details(results)["shared-infra/a"] == "main.tf, line 2: no"
    assert details(results)["notebooks/n"] == "shared-infra/a failed or was not run"
    assert "[shared-infra/a] error: main.tf, line 2: no" in chain.told.lines
    assert "[notebooks/n] not run: shared-infra/a failed or was not run" in chain.told.lines


def test_what_could_not_be_destroyed_keeps_what_it_reads(chain: Bench) -> None:
    run_stacks(chain.run(), chain.stacks())
    chain.terraform.will("destroy notebooks/n", failure("stuck"))
    results = run_stacks(chain.run(destroy=True), chain.stacks())
    assert outcomes(results) == {
        "shared-infra/a": "not run",
        "shared-infra/b": "not run",
        "notebooks/n": "failed",
        "notebooks/m": "destroyed",
    }


def test_independent_stacks_run_in_parallel(bench: Bench) -> None:
    # Each waits for the other to have started: one after the other, both would fail.
    meeting = threading.Barrier(2, timeout=PATIENCE)
    for name in ("notebooks/m", "notebooks/n"):
        bench.write(name)
        bench.terraform.will(f"apply {name}", Answer(meanwhile=meeting.wait))
    results = run_stacks(bench.run(), bench.stacks())
    assert outcomes(results) == {"notebooks/m": "applied", "notebooks/n": "applied"}


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """What the scheduler has started, asked once it can start no more until something ends.

    To give it some time instead would not show what it starts late on a busy machine.
    """
    names: list[str] = []
    awaited: list[Future[None]] = []

    def attempt(run: Run, stack: Stack, *rest: Any) -> Any:
        names.append(stack.name)
        return real_attempt(run, stack, *rest)

    def wait(futures: list[Future[None]], **options: Any) -> Any:
        awaited[:] = futures
        return real_wait(futures, **options)

    def ask() -> list[str]:
        until = time.monotonic() + PATIENCE
        while not awaited or any(future.done() for future in awaited):
            assert time.monotonic() < until
            time.sleep(0.001)
        return [*names]

    real_attempt, real_wait = scheduler._Attempt, scheduler.wait
    monkeypatch.setattr(scheduler, "_Attempt", attempt)
    monkeypatch.setattr(scheduler, "wait", wait)
    return ask


def test_no_more_stacks_run_than_jobs(bench: Bench, started: Callable[[], list[str]]) -> None:
    seen: list[list[str]] = []
    for name in ("notebooks/m", "notebooks/n"):
        bench.write(name)
        answer = Answer(meanwhile=lambda: seen.append(started()))
        bench.terraform.will(f"apply {name}", answer)
    results = run_stacks(bench.run(jobs=1), bench.stacks())
    assert outcomes(results) == {"notebooks/m": "applied", "notebooks/n": "applied"}
    assert seen == [["notebooks/m"], ["notebooks/m", "notebooks/n"]]


@pytest.mark.parametrize(
    ("address", "more", "is_joined"),
    [
        ("terraform_data.x", 1, True),
        ("terraform_data.x", 0, False),
        ("data.aws_vpc.x", 1, False),  # which a plan reads
    ],
)
def test_a_stack_that_waits_for_aws_leaves_its_job_to_another(
    bench: Bench, started: Callable[[], list[str]], address: str, more: int, is_joined: bool
) -> None:
    for name in ("notebooks/m", "notebooks/n"):
        bench.write(name)
    joined = threading.Event()
    seen: list[bool] = []

    def meanwhile() -> None:
        seen.append("notebooks/n" in started())
        if is_joined:
            assert joined.wait(PATIENCE)

    bench.terraform.will("apply notebooks/m", Answer([begun(address)], meanwhile=meanwhile))
    bench.terraform.will("apply notebooks/n", Answer(meanwhile=joined.set))
    results = run_stacks(bench.run(jobs=1, more=more), bench.stacks())
    assert set(outcomes(results).values()) == {"applied"}
    assert seen == [is_joined]


def await_init(bench: Bench, name: str) -> None:
    """Returns once `name` is initialized; there is nothing else that could wake the caller."""
    until = time.monotonic() + PATIENCE
    while f"init {name}" not in bench.terraform.calls:
        assert time.monotonic() < until, bench.terraform.calls
        time.sleep(0.01)


@pytest.fixture
def pair(bench: Bench) -> Bench:
    """notebooks/n reads shared-infra/a, whose apply takes until notebooks/n is initialized."""
    bench.write("shared-infra/a")
    bench.write("notebooks/n", "shared-infra/a")
    wait = Answer(meanwhile=lambda: await_init(bench, "notebooks/n"))
    bench.terraform.will("apply shared-infra/a", wait)
    return bench


def test_a_job_with_nothing_to_do_initializes_what_comes_next(pair: Bench) -> None:
    results = run_stacks(pair.run(), pair.stacks())
    assert outcomes(results) == {"shared-infra/a": "applied", "notebooks/n": "applied"}
    assert pair.terraform.calls.count("init notebooks/n") == 1
    # While it waits for its turn it is at no step.
    assert [what for stack, what, *_ in pair.told.steps if stack == "notebooks/n"][:1] == [
        "terraform apply"
    ]


def test_what_fails_ahead_is_tried_again_and_told_once(pair: Bench) -> None:
    pair.terraform.will("init notebooks/n", failure("no"), failure("still no"))
    results = run_stacks(pair.run(), pair.stacks())
    assert outcomes(results) == {"shared-infra/a": "applied", "notebooks/n": "failed"}
    assert [line for line in pair.told.lines if "no" in line.split()] == [
        "[notebooks/n] error: still no"
    ]


def test_a_job_that_is_all_there_is_initializes_nothing_ahead(chain: Bench) -> None:
    run_stacks(chain.run(jobs=1), chain.stacks())
    calls = chain.terraform.calls
    for number, call in enumerate(calls):
        if call.startswith("init"):
            assert calls[number + 1] == call.replace("init", "apply")


def test_there_is_a_job_whatever_memory_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "free_memory", lambda: 0)
    assert default_jobs() == (1, 0)
    monkeypatch.setattr(processes, "free_memory", lambda: 1 << 50)
    assert default_jobs()[0] == os.cpu_count()
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert default_jobs() == (2, 8)  # ten in all
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert default_jobs() == (64, 0)
    monkeypatch.setattr(processes, "free_memory", lambda: 3_000_000_000)
    assert default_jobs() == (4, 0)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert default_jobs() == (2, 2)


def test_to_fail_fast_starts_nothing_after_a_failure(bench: Bench) -> None:
    for name in ("notebooks/a", "notebooks/b"):
        bench.write(name)
    bench.terraform.will("apply notebooks/a", failure("no"))
    results = run_stacks(bench.run(jobs=1, fail_fast=True), bench.stacks())
    assert outcomes(results) == {"notebooks/a": "failed", "notebooks/b": "not run"}
    assert details(results)["notebooks/b"] == "notebooks/a failed"


def test_an_interruption_starts_nothing_more(bench: Bench) -> None:
    for name in ("notebooks/a", "notebooks/b"):
        bench.write(name)
    bench.terraform.will(
        "apply notebooks/a",
        Answer(
            events=[counts("plan", add=2), done("terraform_data.a")],
            errors=[*failure("execution halted").errors * 12],
            meanwhile=lambda: bench.interruption.note(2, None),
        ),
    )
    results = run_stacks(bench.run(jobs=1), bench.stacks())
    assert outcomes(results) == {"notebooks/a": "interrupted", "notebooks/b": "not run"}
    assert details(results) == {
        "notebooks/a": "interrupted after 1 of 2 resources",
        "notebooks/b": "interrupted",
    }
    assert ("notebooks/a", "terraform apply", 1, 2) in bench.told.steps
    told = [line for line in bench.told.lines if "halted" in line or "interrupted" in line]
    assert [line.partition(" (log: ")[0] for line in told] == [
        "[notebooks/a] interrupted",
    ]


def test_a_local_cloud_that_has_ended_starts_nothing_more(bench: Bench) -> None:
    bench.write("notebooks/n")
    results = run_stacks(bench.run(gone=lambda: "LocalStack ended while this ran"), bench.stacks())
    assert details(results) == {"notebooks/n": "LocalStack ended while this ran"}
    assert bench.terraform.calls == []


def test_saved_plans_are_applied_exactly_and_nothing_else(chain: Bench, tmp_path: Path) -> None:
    file = tmp_path / "shared-infra.b.tfplan"
    file.write_text("a plan")
    run = chain.run()
    inputs = run.records.inputs(chain.stack("shared-infra/b"))
    saved = {
        "shared-infra/b": Plan("shared-infra/b", "changed", inputs=inputs, file=file),
        "notebooks/m": Plan("notebooks/m", "waiting", detail="waits for a plan"),
    }
    # Edited since it was planned: what was seen is applied, and the edit is still to be.
    chain.write("shared-infra/b", text="# edited\n")
    stacks = [chain.stack(name) for name in saved]
    results = run_stacks(chain.run(saved=saved, exactly=True), stacks)
    assert outcomes(results) == {"shared-infra/b": "applied", "notebooks/m": "not run"}
    assert details(results)["notebooks/m"] == "there is no plan of it: waits for a plan"
    assert work(chain) == ["apply shared-infra.b.tfplan of shared-infra/b"]
    assert chain.run().records.reasons_to_apply(chain.stack("shared-infra/b")) == [
        "shared-infra/b/main.tf changed"
    ]


def test_what_reads_a_stack_that_failed_in_an_earlier_wave_is_not_run(chain: Bench) -> None:
    stacks = [stack for stack in chain.stacks() if stack.name == "notebooks/n"]
    (result,) = run_stacks(chain.run(blocked={"notebooks/n": "shared-infra/b"}), stacks)
    assert (result.outcome, result.detail) == ("not run", "shared-infra/b failed or was not run")
    assert work(chain) == []
