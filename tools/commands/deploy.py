"""`tools deploy`."""

from typing import Any

import click

from tools.commands import options
from tools.context import Context
from tools.runs import deployment


@click.command("deploy", short_help="Apply changed stacks, upstream first.")
@options.for_deploy
@click.pass_obj
def command(context: Context, /, local: bool, **given: Any) -> None:
    """Apply the STACKS that have changed, each after the stacks that it reads.

    A stack is named by its path (notebooks/nlp), its last part (nlp) or a glob
    ('notebooks/nlp-*'). The default is every stack. Each state has a record of its last apply,
    which tells what has changed. Shows what the plans change, and what that costs a month, and
    asks once. If a stack fails, the stacks that read it are not run; the others go on, and the exit
    code is 1.

    \b
    Examples:
      tools deploy                       # every stack that has changed
      tools deploy --shared              # before the first notebook
      tools deploy nlp --with-upstream
      tools deploy --where environment=dev --yes
    """
    session, stacks = options.open_session(context, local, given)
    deployment.deploy_stacks(session, stacks)
