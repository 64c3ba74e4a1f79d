from datetime import UTC, datetime, timedelta

import pytest

from tools.aws import logs
from tools.aws.logs import Event
from tools.errors import UserError
from tools.fleet import idle

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90s", NOW - timedelta(seconds=90)),
        ("15m", NOW - timedelta(minutes=15)),
        ("2h", NOW - timedelta(hours=2)),
        ("3d", NOW - timedelta(days=3)),
        ("1w", NOW - timedelta(weeks=1)),
        ("2026-01-31T08:00", datetime(2026, 1, 31, 8, tzinfo=UTC)),
        ("2026-01-31T08:00+02:00", datetime(2026, 1, 31, 6, tzinfo=UTC)),
    ],
)
def test_reads_how_long_ago_and_when(text: str, moment: datetime) -> None:
    assert logs.parse_moment(text, NOW) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "5", "-5m", "5 m", "99999999999d", "2026-13-01"])
def test_refuses_what_is_no_time(text: str) -> None:
    with pytest.raises(UserError, match="write how long ago"):
        logs.parse_moment(text, NOW)


def event(message: str, notebook: str = "n", minute: int = 0) -> Event:
    return Event("id", NOW + timedelta(minutes=minute), notebook, "jupyter.log", message)


@pytest.mark.parametrize(
    ("line", "what", "idle_for"),
    [
        ("autostop: running on, idle 59 of 3600 s: 1 kernels, 0 terminals", "running on", 59),
        ("autostop: kept alive by /k e, idle 7 of 1e+06 s: 0 kernels", "kept alive", 7),
        ("autostop: kept alive, idle 5 of e+ s", "kept alive", 5),
        ("autostop: stopping n in r, through aws; idle 60 of 60 s: x", "stopping", 60),
        ("autostop: cannot stop, idle 61 of 60 s: x; tried y", "cannot stop", 61),
    ],
)
def test_reads_a_decision(line: str, what: str, idle_for: int) -> None:
    read = idle.parse_decision(event(f"2026-01-31T08:00:00Z {line}"))
    assert read is not None
    assert (read.action, read.idle) == (what, timedelta(seconds=idle_for))


@pytest.mark.parametrize(
    "line",
    [
        "",
        "idle 5 of 6 s",
        "[I 08:00 ServerApp] autostop: hello",
        # Whoever works in a notebook may write such a line.
        f"autostop: running on, idle {'9' * 20} of 60 s",
        "autostop: running on, idle 86399999999999 of 60 s",
        f"autostop: running on, idle {'9' * 5000} of 60 s",
    ],
)
def test_reads_no_decision_in_other_lines(line: str) -> None:
    assert idle.parse_decision(event(line)) is None


def test_the_last_decision_of_each_notebook_counts_whatever_the_order() -> None:
    line = "autostop: running on, idle {} of 60 s: x"
    last = idle.last_decisions(
        [
            event(line.format(2), minute=2),
            event(line.format(1), minute=1),
            event(line.format(5), notebook="m"),
            event("another line", minute=3),
        ]
    )
    assert {name: found.idle.seconds for name, found in last.items()} == {"n": 2, "m": 5}


@pytest.mark.parametrize(
    ("line", "minute", "counts"),
    [
        ("running on, idle 5000 of 6000 s: x", -1, False),
        ("running on, idle 5000 of 6000 s: x", 1, True),
        ("kept alive by /k, idle 7 of 60 s: x", 1, True),
        ("cannot stop, idle 61 of 60 s: x", 1, True),
        ("stopping n in r, through aws; idle 60 of 60 s: x", 1, False),  # and it runs again
    ],
)
def test_a_line_from_before_the_last_start_says_nothing_of_this_run(
    line: str, minute: int, counts: bool
) -> None:
    decision = idle.parse_decision(event(f"autostop: {line}", minute=minute))
    assert decision is not None
    assert (idle.since_last_change(decision, modified=NOW) is decision) == counts
    assert idle.since_last_change(None, modified=NOW) is None


def test_a_line_does_not_steer_the_terminal() -> None:
    line = event("a\x1b[2Jb\r\x9bc\td\ne").line()
    assert line == "2026-01-31T12:00:00Z jupyter.log  a\\x1b[2Jb\\r\\x9bc\td\ne"
