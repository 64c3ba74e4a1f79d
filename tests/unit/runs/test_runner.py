"""How a run that is interrupted ends: Ctrl-C is told as a shell expects it, and what goes on."""

import signal

import click
import pytest

from tests.unit.engine.conftest import Bench, bench
from tools.context import Target
from tools.engine import in_use
from tools.engine.records import Records
from tools.errors import UserError
from tools.layout.repository import Repository
from tools.localcloud.process import LocalCloud
from tools.runs.options import Options
from tools.runs.runner import Runner

__all__ = ["bench"]  # a fixture


@pytest.fixture
def runner(bench: Bench) -> Runner:
    repository = Repository(bench.root)
    target = Target(repository, bench.terraform, "us-east-1", bench.root / "logs")
    records = Records(repository, bench.terraform)
    return Runner(target, records, Options(), LocalCloud(bench.root / "local"))


def interrupt(error: str) -> None:
    signal.raise_signal(signal.SIGINT)  # as Ctrl-C does
    if error:
        raise UserError(error)


@pytest.mark.parametrize("error", ["", "Terraform was interrupted"])
def test_what_continues_when_it_is_run_again_says_so(
    runner: Runner, capsys: pytest.CaptureFixture[str], error: str
) -> None:
    with pytest.raises(click.exceptions.Exit) as ended, runner.resume(1):
        interrupt(error)
    assert ended.value.exit_code == 128 + signal.SIGINT
    assert capsys.readouterr().err == "interrupted; run the command again to continue\n"


@pytest.mark.parametrize(
    ("error", "told"),
    [("", "interrupted\n"), ("terraform plan failed", "interrupted: terraform plan failed\n")],
)
def test_what_is_only_begun_ends_without_that(
    runner: Runner, capsys: pytest.CaptureFixture[str], error: str, told: str
) -> None:
    with pytest.raises(click.exceptions.Exit) as ended, runner.work(1):
        interrupt(error)
    assert ended.value.exit_code == 128 + signal.SIGINT
    assert capsys.readouterr().err == told


def test_nothing_is_destroyed_if_the_look_for_who_needs_it_is_interrupted(
    bench: Bench, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(*_: object) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(in_use, "refuse_in_use", look)
    with pytest.raises(click.exceptions.Exit) as ended:
        runner.refuse_in_use([bench.write("notebooks/n")])
    assert ended.value.exit_code == 128 + signal.SIGINT


def test_a_failure_without_an_interruption_is_told(runner: Runner) -> None:
    with pytest.raises(UserError, match="no such bucket"), runner.resume(1):
        raise UserError("no such bucket")
