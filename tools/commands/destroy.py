"""`tools destroy`."""

import click

from tools import deploy, runs
from tools.commands import options
from tools.context import Context


@click.command("destroy", short_help="Destroy stacks, notebooks first.")
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
    """Run terraform destroy in STACKS (all of them where none is named), dependents first.

    A destroyed notebook loses its volume. Asks for the project's name once. Refuses a stack that
    a deployed one still reads; one that could not be destroyed keeps what it reads.
    """
    target = context.target(local)
    chosen = context.select(target, stacks, shared)
    where = runs.place(target)
    others = target.repository.stacks()
    deploy.refuse_in_use(target.terraform, chosen, others, target.logs, target.option)
    runs.confirm(target, where, [stack.name for stack in chosen], "Destroy", yes)
    runs.run(context, target, chosen, True, jobs, fail_fast)
