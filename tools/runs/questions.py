"""The questions that a run asks before it changes anything."""

from collections.abc import Sequence

import click

from tools.console.prompt import is_interactive
from tools.context import Target
from tools.errors import UserError
from tools.runs.session import Options, Where


def agree(target: Target, place: Where, names: Sequence[str], agreed: bool) -> None:
    """Says which new stacks will be deployed, and asks unless `agreed`."""
    click.echo(f"Deploy in {place}:", err=True)
    for name in names:
        click.echo(f"  {name}", err=True)
    confirm("Deploy", place, len(names), target, Options(yes=agreed))


def confirm(verb: str, place: Where, count: int, target: Target, options: Options) -> None:
    """Asks unless that was agreed to; the local cloud is never worth a question."""
    if options.yes or target.endpoint:
        return
    require_a_person()
    if verb == "Destroy":
        project = str(target.repository.common()["project"])
        question = f"Type the project's name ({project}) to destroy them"
        if click.prompt(question, err=True) != project:
            raise click.Abort
    else:
        stacks = "this stack" if count == 1 else f"these {count} stacks"
        click.confirm(f"{verb} {stacks} in {place}?", abort=True, err=True)


def agree_to(question: str, target: Target, agreed: bool) -> None:
    """Asks `question`, unless that was `agreed`; the local cloud is never worth one."""
    if not (agreed or target.endpoint):
        require_a_person()
        click.confirm(question, abort=True, err=True)


def require_a_person() -> None:
    if not is_interactive():
        raise UserError("nobody is there to be asked; add --yes to agree beforehand")
