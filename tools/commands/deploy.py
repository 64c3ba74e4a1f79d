"""`tools deploy`."""

import click

from tools import runs
from tools.commands import options
from tools.context import Context


@click.command("deploy", short_help="Apply stacks, upstream first.")
@options.of_a_run
@click.pass_obj
def command(
    context: Context,
    stacks: tuple[str, ...],
    shared: bool,
    local: bool,
    yes: bool,
    jobs: int | None,
    fail_fast: bool,
) -> None:
    """Run terraform init and apply in STACKS, each after those whose state it reads.

    A stack is named by its path (notebooks/nlp), its last part (nlp) or a glob
    ('notebooks/nlp-*'); all of them where none is named. Asks once, naming account, region and
    stacks. A failed stack's dependents are not run; the others go on, and the exit code is 1.
    """
    target = context.target(local)
    chosen = context.select(target, stacks, shared)
    runs.confirm(target, runs.place(target), [stack.name for stack in chosen], "Deploy", yes)
    runs.run(context, target, chosen, False, jobs, fail_fast)
