"""The screens, and how one is rendered: in this process, on a terminal of 80 columns."""

import io
import os
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack, chdir, redirect_stderr, redirect_stdout, suppress
from functools import partial
from pathlib import Path
from unittest.mock import patch

import click

from tests.trees import copy_repository
from tests.unit.screens import samples
from tools import cli
from tools.commands import list as list_command
from tools.commands import status
from tools.console import messages
from tools.imports import scan
from tools.remote_state import listing as states
from tools.remote_state import versions
from tools.runs import summary

GOLDEN = Path(__file__).parent / "golden"
WIDTH = 80
_COPIED = ("shared-infra", "modules", "notebooks", "templates", "common.auto.tfvars")
_SETTINGS = 'project = "acme"\nregion  = "eu-central-1"\n'


def _tools(*arguments: str) -> None:
    """`tools`, as somebody calls it in the repository."""
    print("$", "tools", *arguments)
    with patch.object(sys, "argv", ["tools", *arguments]), suppress(SystemExit):
        cli.main()


SCREENS: dict[str, Callable[[], None]] = {
    "help": partial(_tools, "--help"),
    "help-deploy": partial(_tools, "deploy", "--help"),
    "help-new-notebook": partial(_tools, "new-notebook", "--help"),
    "help-state": partial(_tools, "state", "--help"),
    "list": partial(list_command.show, samples.STACKS, with_reasons=True),
    "plan": partial(summary.show_plans, samples.PLANS, err=False),
    "drift": partial(summary.show_drift, samples.DRIFT),
    "results": partial(summary.summarize, samples.RESULTS),
    "status": partial(status.show_tables, samples.fleet_status()),
    "state-list": partial(states.show, samples.STATES, Path("/")),
    "state-history": partial(versions.show, samples.VERSIONS),
    "import-scan": partial(scan.show, samples.CANDIDATES),
    "cost": partial(_tools, "cost", "--region", "us-east-1"),
    "cost-compare": partial(_tools, "cost", "--region", "us-east-1", "--compare"),
    "new-notebook-dry-run": partial(
        _tools, "new-notebook", "nlp", "--profile", "staging", "--owner", "alice", "--dry-run"
    ),
    "wrong-command": partial(_tools, "plam"),
    "wrong-option": partial(_tools, "deploy", "--lokal"),
    "wrong-value": partial(_tools, "new-notebook", "nlp", "--profile", "prd"),
    "wrong-variable": partial(_tools, "new-notebook", "nlp", "--set", "volume_sise=30"),
    "wrong-notebook": partial(_tools, "cost", "notebok-dev"),
}


class _Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


def render(name: str, folder: Path, width: int = WIDTH) -> str:
    """What the screen `name` shows, in a copy of the repository that is made in `folder`."""
    root = copy_repository(folder / "repository", *_COPIED)
    (root / "common.auto.tfvars").write_text(_SETTINGS)
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "USER": "tester",
        "COLUMNS": str(width),
        "NO_COLOR": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    terminal = _Terminal(io.BytesIO(), "utf-8", write_through=True)
    with ExitStack() as stack:
        stack.enter_context(redirect_stdout(terminal))
        stack.enter_context(redirect_stderr(terminal))
        stack.enter_context(chdir(root))
        stack.enter_context(patch.dict(os.environ, env, clear=True))
        stack.enter_context(patch.object(sys, "stdin", io.StringIO()))
        stack.callback(signal.signal, signal.SIGTERM, signal.getsignal(signal.SIGTERM))
        messages.reset()
        stack.enter_context(click.Context(cli.group, color=False))
        SCREENS[name]()
    text = terminal.buffer.getvalue().decode()  # type: ignore[attr-defined]
    return str(text).replace(str(root), "~/repository")
