import os
import re
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from tests.cli.conftest import Checkout
from tests.cli.reference import COMMAND, contexts
from tests.trees import REPOSITORY
from tools.cli import COMMANDS, group


def test_every_command_and_option_has_help_and_is_in_the_documents() -> None:
    readme = (REPOSITORY / "README.md").read_text()
    table = (REPOSITORY / "docs/commands.md").read_text()
    for name in COMMANDS:
        done = CliRunner().invoke(group, [name, "--help"])
        assert done.exit_code == 0, done.output
        assert f"`tools {name}`" in readme
        assert re.search(rf"^\| .*`tools {name}\b.* \|$", table, re.MULTILINE), name
        command = group.get_command(None, name)  # type: ignore[arg-type]
        assert command is not None
        subcommands = command.commands.values() if isinstance(command, click.Group) else []
        for part in (command, *subcommands):
            assert part.help, part.name
            options = [p for p in part.params if isinstance(p, click.Option)]
            assert [option.name for option in options if not option.help] == []
        assert command.short_help


def test_no_help_breaks_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oracle is the text in the code: each of its words stands whole in what is printed."""
    monkeypatch.setenv("COLUMNS", "80")
    for context in contexts():
        text = context.command.get_help(context)
        printed = set(text.split())
        listed = text.partition("\nCommands:\n")[2].splitlines()
        assert not [line for line in listed if line.endswith("...")]  # which click has cut
        texts = [context.command.help or ""]
        texts += [p.help or "" for p in context.command.params if isinstance(p, click.Option)]
        assert {word for text in texts for word in text.split() if word != "\b"} <= printed


def test_the_help_that_lies_ready_is_what_click_says(checkout: Checkout) -> None:
    made = checkout.tools("--help", COLUMNS="80").stdout  # a process: CliRunner wraps otherwise
    assert (REPOSITORY / "tools" / "help.txt").read_text() == made, f"renew it: {COMMAND}"


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_the_help_needs_no_click(option: str) -> None:
    code = "import sys; from tools.__main__ import main; main(); sys.exit('click' in sys.modules)"
    env = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    command = [sys.executable, "-c", code, option]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert done.stdout == (REPOSITORY / "tools" / "help.txt").read_text()


def test_a_narrow_terminal_gets_a_help_of_its_own(checkout: Checkout) -> None:
    done = checkout.tools("--help", COLUMNS="60")
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 60
    assert "new-notebook" in done.stdout


def test_make_without_a_target_shows_every_target(checkout: Checkout) -> None:
    done = checkout.run("make")
    targets = [
        line.split(":")[0]
        for line in (checkout.root / "Makefile").read_text().splitlines()
        if line[:1].isalpha() and ":" in line and ":=" not in line and "?=" not in line
    ]
    assert targets
    assert [target for target in targets if f"  {target} " not in done.stdout] == []
