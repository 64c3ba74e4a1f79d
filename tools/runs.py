"""A run as a person sees it: one question, lines that name the stack, a summary."""

import threading
import time
from collections.abc import Sequence
from contextlib import suppress

import click

from tools import aws, deploy, interruption
from tools.context import Context, Target, is_interactive
from tools.errors import UserError
from tools.stack import Stack

_ONE_LINE = threading.Lock()
_COLOURS = {"applied": "green", "destroyed": "green", "failed": "red", "not run": "yellow"}


def place(target: Target) -> str:
    """Where a run would change something, in words.

    Raises UserError where AWS does not know the credentials, or the states are not in order.
    """
    target.repository.check_states()
    if target.endpoint:
        return f"the local cloud, {target.endpoint}, region {target.region}"
    who = aws.identity(target.region)
    return f"AWS account {who.account}, region {target.region}, as {who.arn}"


def confirm(target: Target, where: str, names: Sequence[str], verb: str, agreed: bool) -> None:
    """Says what is about to happen `where` to the stacks `names`, and asks unless `agreed`.

    The local cloud is never worth a question. Raises UserError where nobody is there to be asked.
    """
    click.echo(f"{verb} in {where}:", err=True)
    for name in reversed(names) if verb == "Destroy" else names:
        click.echo(f"  {name}", err=True)
    if agreed or target.endpoint:
        return
    if not is_interactive():
        raise UserError("nobody is there to be asked; add --yes to agree beforehand")
    if verb == "Destroy":
        project = str(target.repository.common()["project"])
        question = f"Type the project's name ({project}) to destroy them"
        if click.prompt(question, err=True) != project:
            raise click.Abort
    else:
        click.confirm(f"{verb} these {len(names)} stacks?", abort=True, err=True)


def run(
    context: Context,
    target: Target,
    stacks: Sequence[Stack],
    destroy: bool = False,
    jobs: int | None = None,
    fail_fast: bool = False,
) -> None:
    """Applies or destroys `stacks` and prints the summary.

    Exits with 1 where one failed, and with 130 where it was interrupted.
    """
    with interruption.counted() as interrupted:
        at_once = jobs or deploy.default_jobs()
        how = deploy.Run(
            target.terraform,
            target.logs,
            say,
            interrupted,
            at_once,
            destroy,
            fail_fast,
            target.option,
            lambda: _gone(context, target),
        )
        results = deploy.deploy(how, stacks)
    summarize(results)
    if interrupted.count:
        raise click.exceptions.Exit(130)
    if any(result.outcome in ("failed", "not run") for result in results):
        if gone := _gone(context, target):
            raise UserError(f"{gone} (log: {context.local_cloud.log}); start again: tools local up")
        raise click.exceptions.Exit(1)


def _gone(context: Context, target: Target) -> str:
    ended = target.endpoint and context.local_cloud.status() is None
    return "LocalStack ended while this ran" if ended else ""


def say(stack: str, line: str) -> None:
    """One line of a stack's progress, on stderr."""
    prefix = click.style(f"[{stack}]", fg="cyan")
    # A reader that has gone, as of a pipe, must not end a run half way.
    with suppress(BrokenPipeError), _ONE_LINE:
        click.echo(f"{time.strftime('%H:%M:%S')} {prefix} {line}", err=True)


def summarize(results: Sequence[deploy.Result]) -> None:
    """What became of each stack, slowest first, on stderr."""
    click.echo("", err=True)
    width = max((len(result.stack) for result in results), default=0)
    for result in sorted(results, key=lambda result: -result.seconds):
        outcome = click.style(f"{result.outcome:<9}", fg=_COLOURS.get(result.outcome))
        line = f"{result.stack:<{width}}  {outcome}  {result.seconds:5.0f} s  {result.detail}"
        click.echo(line.rstrip(), err=True)
