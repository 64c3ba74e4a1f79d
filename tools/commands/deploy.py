"""`tools deploy`."""

from typing import Any

import click

from tools.commands import options
from tools.context import Context
from tools.runs import deployment
from tools.runs.options import Options
from tools.runs.session import Session


@click.command("deploy", short_help="Apply stacks, upstream first.")
@options.of_a_deployment
@click.pass_obj
def command(context: Context, /, local: bool, **given: Any) -> None:
    """Apply those of STACKS in which something has changed, each after those that it reads.

    A stack is named by its path (notebooks/nlp), its last part (nlp) or a glob
    ('notebooks/nlp-*'); all of them where none is named. What has changed is told from the record
    that lies beside each state since its last apply. Shows what each plan would change, and asks
    once. A failed stack's dependents are not run; the others go on, and the exit code is 1.
    """
    selection = options.selection(given)
    session = Session.open(context, local, Options(**given))
    deployment.deploy_stacks(session, session.select(selection))
