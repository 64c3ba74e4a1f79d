"""How a run ends: totals, what is left, what comes next; the oracle is the issue's wish."""

import pytest

from tools.engine.run import Outcome, Result
from tools.runs import closing

MADE = {"add": 2, "change": 0, "remove": 1}


def test_totals_count_stacks_and_resources(capsys: pytest.CaptureFixture[str]) -> None:
    results = [
        Result("shared-infra/b", "applied", 1.0, changes=MADE),
        Result("notebooks/n", "failed", 2.0, changes={"add": 1}),
        Result("notebooks/m", "applied", changes={"add": 0, "change": 3}),
        Result("notebooks/o", "unchanged"),
    ]
    closing.say_totals(results, 200.2)
    closing.say_totals(results[3:], 0.2)
    closing.say_totals([Result("notebooks/p", "applied", changes={"import": 2})], 1.0)
    assert capsys.readouterr().err.splitlines() == [
        "2 applied, 1 unchanged, 1 failed in 3 min 20 s; "
        "resources: 3 added, 3 changed, 1 destroyed",
        "1 unchanged in 0 s",
        "1 applied in 1 s",
    ]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(59.4, "59 s"), (59.6, "1 min 0 s"), (3599.4, "59 min 59 s"), (3660, "1 h 1 min")],
)
def test_a_duration_is_said_as_people_do(seconds: float, said: str) -> None:
    assert closing.describe_seconds(seconds) == said


def test_an_interruption_takes_five_lines_of_any_number_of_stacks(
    capsys: pytest.CaptureFixture[str],
) -> None:
    results = [
        Result("shared-infra/a", "applied", changes=MADE),
        Result("shared-infra/b", "failed", detail="no: because"),
        Result("notebooks/n", "interrupted", detail="interrupted after 1 of 3 resources"),
        *(Result(f"notebooks/n{i}", "not run", detail="interrupted") for i in range(200)),
    ]
    closing.say_interruption(results, 4)
    empty, *lines = capsys.readouterr().err.splitlines()
    assert empty == ""
    assert lines == [
        "interrupted after 4 s: 1 applied, 1 failed, 1 interrupted, 200 not run",
        "  failed: shared-infra/b",
        "  interrupted: notebooks/n (after 1 of 3 resources)",
        "  not run: notebooks/n0, notebooks/n1, notebooks/n2, notebooks/n3, notebooks/n4 "
        "and 195 more",
        "Run the same command again to continue.",
    ]


@pytest.mark.parametrize(
    ("outcomes", "has_notebooks", "said"),
    [
        (["applied", "unchanged"], True, "next: tools status --local\n"),
        (["applied"], False, "next: tools new-notebook NAME\n"),
        (["unchanged"], True, ""),
        (
            ["applied", "failed", "not run"],
            True,
            "next: correct what failed and run the same command again: 2 stacks left\n",
        ),
    ],
)
def test_what_comes_next_follows_from_what_became_of_the_stacks(
    capsys: pytest.CaptureFixture[str],
    outcomes: list[str],
    has_notebooks: bool,
    said: str,
) -> None:
    results = [Result(f"notebooks/{o}", o) for o in outcomes]  # type: ignore[arg-type]
    closing.say_next(results, " --local", has_notebooks)
    assert capsys.readouterr().err == said


@pytest.mark.parametrize(
    ("outcomes", "option", "is_all", "said"),
    [
        ({"notebooks/a": "destroyed"}, "", False, "delete notebooks/a, or tools deploy creates it"),
        (
            {
                "notebooks/a": "destroyed",
                "notebooks/b": "destroyed",
                "shared-infra/s3": "unchanged",
            },
            "",
            False,
            "delete notebooks/a, notebooks/b, or tools deploy creates them",
        ),
        ({"notebooks/a": "destroyed"}, "", True, "nothing; tools deploy creates everything"),
        ({"notebooks/a": "destroyed", "shared-infra/s3": "failed"}, "", True, "correct what fai"),
        ({"notebooks/a": "destroyed"}, " --local", True, "tools local down"),
        # It may be in the working copy alone.
        ({"notebooks/a": "destroyed"}, " --local", False, None),
        ({"shared-infra/s3": "destroyed"}, "", False, None),
        ({"notebooks/a": "unchanged"}, "", True, None),
    ],
)
def test_what_comes_next_after_a_destroy(
    capsys: pytest.CaptureFixture[str],
    outcomes: dict[str, Outcome],
    option: str,
    is_all: bool,
    said: str | None,
) -> None:
    """A directory that stays declares its notebook: the next deployment would create it again."""
    results = [Result(name, outcome) for name, outcome in outcomes.items()]
    closing.say_next_of_destroy(results, option, is_all)
    err = capsys.readouterr().err
    assert err.startswith(f"next: {said}") if said else err == ""


def test_only_notebooks_that_are_new_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    before = {"notebooks/old": "old.example"}
    closing.show_new_notebooks(before, {**before, "notebooks/new": "new.example"})
    closing.show_new_notebooks(before, before)
    assert capsys.readouterr().err == "New notebook   URL\nnotebooks/new  new.example\n"
