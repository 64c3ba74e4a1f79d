import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.commands import status
from tools.errors import UserError
from tools.fleet.fleet import Fleet
from tools.fleet.status import FleetStatus
from tools.layout.repository import Repository

EMPTY = FleetStatus([], [])


@pytest.fixture
def where(tmp_path: Path) -> Fleet:
    return Fleet(tmp_path, Repository(tmp_path), "eu-west-1")


def looks(*answers: FleetStatus | UserError) -> Iterator[FleetStatus | UserError]:
    yield from answers
    signal.raise_signal(signal.SIGINT)  # as Ctrl-C does
    yield EMPTY


def test_a_watch_goes_on_after_a_look_that_failed(
    where: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = looks(EMPTY, UserError("throttled\x1b"), UserError("no network"), EMPTY)

    def look() -> FleetStatus:
        answer = next(answers)
        if isinstance(answer, UserError):
            raise answer
        return answer

    status.watch_notebooks(look, where, as_json=True, seconds=0.01)
    said = capsys.readouterr()
    assert len(said.out.splitlines()) >= 2
    first, second = said.err.splitlines()
    assert first.endswith("Z update failed: throttled\\x1b")
    assert second.endswith("Z update failed: no network")


def test_a_watch_whose_first_look_fails_ends(where: Fleet) -> None:
    def look() -> FleetStatus:
        raise UserError("no credentials")

    with pytest.raises(UserError, match="no credentials"):
        status.watch_notebooks(look, where, as_json=False, seconds=0.01)
