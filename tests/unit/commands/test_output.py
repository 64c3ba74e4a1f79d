"""Colours, and how much is said. The oracles are the conventions' pages."""

from pathlib import Path

import pytest

from tests.unit.commands.conftest import Checkout
from tools.console import messages, progress, terminal
from tools.engine.events import report_warnings
from tools.layout.stack import Stack

ESCAPE = "\x1b["


@pytest.mark.parametrize(
    ("env", "coloured"),
    [
        ({}, False),  # no terminal
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "0"}, True),  # "regardless of its value"
        ({"FORCE_COLOR": ""}, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "0"}, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": ""}, True),
    ],
)
def test_colours_are_as_the_variables_say(
    checkout: Checkout, env: dict[str, str], coloured: bool
) -> None:
    refused = checkout.tools("cost", "no-such-notebook", **env)  # main's own error
    shown = checkout.tools("cost", **env)  # a command's table
    assert (ESCAPE in refused.stderr, ESCAPE in shown.stdout) == (coloured, coloured)


@pytest.mark.parametrize("words", [("-q", "new-notebook"), ("new-notebook", "--quiet")])
def test_quiet_prints_the_result_and_no_note(checkout: Checkout, words: tuple[str, ...]) -> None:
    done = checkout.tools(*words, "nlp")
    assert (done.returncode, done.stdout, done.stderr) == (0, "notebooks/nlp\n", "")
    assert "next: " in checkout.tools("new-notebook", "vision").stderr


def test_quiet_prints_errors_and_warnings(checkout: Checkout) -> None:
    assert "error: " in checkout.tools("-q", "cost", "no-such-notebook").stderr
    change = "notebook-dev.instance_type=ml.p5.48xlarge"
    assert "warning: " in checkout.tools("-q", "cost", "--what-if", change).stderr


def test_verbose_prints_all(checkout: Checkout) -> None:
    some = checkout.tools("new-notebook", "nlp", "--dry-run").stdout
    every = checkout.tools("-v", "new-notebook", "nlp", "--dry-run").stdout
    assert 'module "notebook"' not in some
    assert 'module "notebook"' in every


def test_what_quiet_kept_back_is_shown_before_a_question(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(terminal.wish, "quiet", True)
    messages.say("Deploy in AWS account 123456789012:")
    assert capsys.readouterr().err == ""
    messages.show_kept()
    assert capsys.readouterr().err == "Deploy in AWS account 123456789012:\n"


@pytest.mark.parametrize(("quiet", "shown"), [(True, ""), (False, "[notebooks/nlp] applied\n")])
def test_quiet_shows_no_progress(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], quiet: bool, shown: str
) -> None:
    monkeypatch.setattr(terminal.wish, "quiet", quiet)
    with progress.choose(1) as display:
        display.step("notebooks/nlp", "applied")
        display.end("notebooks/nlp", "applied")
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.partition(" ")[2] == shown  # after the time


def test_quiet_shows_warnings_of_a_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Terraform's own among them, as its text names one (1.11.4); a notice is none.
    monkeypatch.setattr(terminal.wish, "quiet", True)
    stack = Stack(Path(), "notebooks/nlp")
    deprecated = {"severity": "warning", "summary": "Argument is deprecated", "detail": ""}
    with progress.choose(1) as display, report_warnings(display, stack) as on_event:
        on_event({"type": "diagnostic", "diagnostic": deprecated})
        on_event({"type": "text", "@message": "Initializing provider plugins..."})
    said = capsys.readouterr().err
    assert said.partition(" ")[2] == "[notebooks/nlp] warning: Argument is deprecated\n"
