"""docs/reference.md, the help of every command: `python -m tests.cli.reference`.

Rewrites it, and tools/help.txt, in the tree it lies in.
"""

import os
from collections.abc import Iterator
from unittest import mock

import click

from tests.trees import REPOSITORY
from tools.cli import GROUPS, group

COMMAND = "python -m tests.cli.reference"
DOCUMENT = REPOSITORY / "docs" / "reference.md"
HELP = REPOSITORY / "tools" / "help.txt"
_HEAD = f"""\
# Reference

The help of every command, as `tools COMMAND --help` prints it on a terminal of 80 columns.
[Commands](commands.md) is shorter. The options before the command are at the
[end](#tools).

<!-- Made by: {COMMAND} -->
"""


def renewed() -> str:
    """The document as the commands' help is now."""
    with mock.patch.dict(os.environ, {"COLUMNS": "80"}):
        return _HEAD + "".join(_index()) + "".join(_sections())


def renewed_help() -> str:
    """What `tools --help` prints on a terminal of 80 columns."""
    with mock.patch.dict(os.environ, {"COLUMNS": "80"}):
        return f"{group.get_help(_root())}\n"


def _index() -> Iterator[str]:
    for title, names in GROUPS.items():
        yield f"\n**{title}**\n\n"
        for name in names:
            for context in _contexts(_root(), name):
                depth = "  " * (context.command_path.count(" ") - 1)
                short = context.command.get_short_help_str(limit=100)
                path = context.command_path
                yield f"{depth}- [{path}](#{path.replace(' ', '-')}): {short}\n"


def _sections() -> Iterator[str]:
    yield from map(_section, contexts())


def contexts() -> Iterator[click.Context]:
    """Every command, those below others too, and `tools` itself at the end."""
    for names in GROUPS.values():
        for name in names:
            yield from _contexts(_root(), name)
    yield _root()


def _section(context: click.Context) -> str:
    text = context.command.get_help(context)
    return f"\n## {context.command_path}\n\n```text\n{text}\n```\n"


def _root() -> click.Context:
    return group.context_class(group, info_name="tools", **group.context_settings)


def _contexts(parent: click.Context, name: str) -> Iterator[click.Context]:
    """The command `name` of the parent's, and those below it."""
    assert isinstance(parent.command, click.Group)
    command = parent.command.get_command(parent, name)
    assert command is not None
    make = command.context_class
    context = make(command, info_name=name, parent=parent, **command.context_settings)
    yield context
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            yield from _contexts(context, below)


if __name__ == "__main__":
    HELP.write_text(renewed_help())
    DOCUMENT.write_text(renewed())
