"""`tools explain-access`."""

import sys
from dataclasses import asdict

import click

from tools.commands import completions, options
from tools.console import terminal
from tools.console.messages import print_json
from tools.context import Context
from tools.errors import UserError
from tools.fleet import access, questions
from tools.fleet.grants import read_grants
from tools.fleet.questions import Question
from tools.layout.selection import Selection
from tools.runs.session import Session

# Beside 1 and 2, which are a failure and a wrong use.
_EXIT_CODES = {"yes": 0, "no": 3, "unknown": 4}


@click.command("explain-access", short_help="Show what a notebook can read, write and call.")
@click.argument("notebook", shell_complete=completions.notebooks)
@click.option(
    "--can",
    metavar="QUESTION",
    help='Answer first whether it can "read s3://BUCKET/PATH"; also write, list and delete.',
)
@options.local
@options.as_json
@click.pass_obj
def command(context: Context, notebook: str, can: str | None, local: bool, as_json: bool) -> None:
    """Print what the role of NOTEBOOK can do, from the policies as Terraform rendered them.

    Reads the states of the notebook and of its upstream stacks, and does not ask IAM. Leaves out
    what a permissions boundary denies. docs/security.md says what else decides. With --can it
    exits with 0 for yes, 3 for no and 4 for unknown.

    \b
    Examples:
      tools explain-access nlp-project
      tools explain-access nlp --can "write s3://acme-datasets/shared/a.csv"
    """
    question = Question.parse(can) if can is not None else None
    session = Session.open_to_read(context, local)
    stacks = session.select(Selection(patterns=[notebook]))
    if [stack.kind for stack in stacks] != ["notebook"]:
        raise UserError(f"{notebook} is not one notebook; name one, such as notebooks/nlp-project")
    grants = read_grants(
        stacks[0], session.records.stacks, session.records.place, session.target.option
    )
    answer = questions.answer(question, grants) if question else None
    explanation = access.explain(grants)
    width = terminal.columns(sys.stdout)
    if as_json:
        asked = {"question": can, **asdict(answer)} if answer else None
        print_json({**explanation.as_json(), **({"can": asked} if asked else {})})
    else:
        if answer:
            click.echo(access.fold(f"{answer.verdict}: {answer.reason}", width))
            click.echo()
        click.echo(access.format_access(explanation, width))
    if answer:
        raise click.exceptions.Exit(_EXIT_CODES[answer.verdict])
