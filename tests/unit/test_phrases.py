"""What users read: every help, error and message is in plain words, and none is too wide.

The oracle is STUMBLED, the list of our own phrases that strangers stumbled over; a phrase that
another one stumbles over goes there. A test that finds a phrase is mended in the program.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tests.cli.errors_table import messages
from tests.trees import REPOSITORY
from tools import cli

WIDTH = 80
# By what is wrong with them: the order of words, a word for another, a name from the code.
STUMBLED = (
    r"\banew\b",
    r"\bagree beforehand\b",
    r"\bat once\. \[default",
    r"\bdeclared by no directory\b",
    r"\bis told and skipped\b",
    r"\bits cost is not known\b",
    r"\bmade anew\b",
    r"\bno record of a finished\b",
    r"\bnobody is there\b",
    r"\bnobody's\b",
    r"\bor else\b",
    r"\bsave the principals\b",
    r"\bsomebody is there\b",
    r"\bTake what exists\b",
    r"\bTaken back it\b",
    r"\btakes? it in\b",
    r"\bTerraforms at once\b",
    r"\bthose that their\b",
    r"\bThose of\b",
    r"\bType project\b",
    r"\bwhat exists already\b",
    r"\bwhat has no name to look for\b",
    r"\bwhat no option gives\b",
    r"\bwhat that has not\b",
    r"\bwhere (?:nothing|somebody|there (?:is|are)|it is known)\b",
    r"\b(?:endpoint|logs|nat|storage|duplicated)_gb\b",
    r"\bunknown_reads\b",
)
ANY = re.compile("|".join(STUMBLED))


def commands() -> Iterator[list[str]]:
    """The words that call each command and each group, `tools` itself first."""

    def below(command: click.Command, words: list[str]) -> Iterator[list[str]]:
        yield words
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                part = command.get_command(context, name)
                assert part
                yield from below(part, [*words, name])

    return below(cli.group, [])


def help_of(words: list[str]) -> str:
    done = CliRunner().invoke(
        cli.group, [*words, "--help"], prog_name="tools", terminal_width=WIDTH
    )
    assert done.exit_code == 0, done.output
    return done.output


def literals(path: Path) -> Iterator[str]:
    """The texts in a module but for its docstrings: constants, and f-strings without values.

    Wherever they stand: a sentence may be printed by another module.
    """
    tree = ast.parse(path.read_text())
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        node.body[0]
        for node in ast.walk(tree)
        if isinstance(node, documented) and ast.get_docstring(node) is not None
    }

    def below(node: ast.AST) -> Iterator[str]:
        if node in docstrings:
            return
        if isinstance(node, ast.JoinedStr | ast.Constant):
            yield from _texts(node)
            return
        for part in ast.iter_child_nodes(node):
            yield from below(part)

    return below(tree)


def _texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.JoinedStr):
        yield "".join(str(v.value) if isinstance(v, ast.Constant) else "…" for v in node.values)
        inner = [v.value for v in node.values if isinstance(v, ast.FormattedValue)]
    elif isinstance(node, ast.Constant):
        inner = []
        if isinstance(node.value, str):
            yield node.value
    elif isinstance(node, ast.Subscript):  # values["name"] is a key, and no text
        inner = []
    else:
        inner = [part for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr)]
    for part in inner:
        yield from _texts(part)


def stumbled_over(text: str) -> list[str]:
    plain = " ".join(text.split())
    if not ANY.search(plain):
        return []
    return [phrase for phrase in STUMBLED if re.search(phrase, plain)]


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_a_help_is_plain_and_fits_the_terminal_and_has_examples(words: list[str]) -> None:
    text = help_of(words)
    assert stumbled_over(text) == []
    assert [line for line in text.splitlines() if len(line) > WIDTH] == []
    assert not words or "\n  Examples:\n    " in text


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_each_example_is_a_command_with_its_options(words: list[str]) -> None:
    text = help_of(words).partition("\n  Examples:\n")[2].partition("\n\n")[0]
    for line in text.splitlines():
        called = re.search(r"\btools ([a-z][^#|>)]*)", line)
        assert called, line
        command: click.Command = cli.group
        for word in called[1].split():
            part = isinstance(command, click.Group) and command.get_command(
                click.Context(command), word
            )
            if not part:
                break
            command = part
        options = {name for parameter in command.params for name in parameter.opts}
        used = set(re.findall(r"(?<=\s)--[a-z-]+", called[1]))
        assert used <= options, line


def test_no_message_has_a_phrase_that_strangers_stumbled_over() -> None:
    found = [
        f"{path.relative_to(REPOSITORY)}: {phrase}: {text}"
        for path in sorted((REPOSITORY / "tools").rglob("*.py"))
        if "emulator" not in path.parts
        for text in literals(path)
        if " " in text  # a sentence, and not a name of the code's own
        for phrase in stumbled_over(text)
    ]
    assert found == []


def test_the_words_of_an_error_take_four_lines_at_most() -> None:
    """An error is one line, which a terminal wraps. What it names comes on top of its words."""
    found = [
        f"{path.relative_to(REPOSITORY)}: {len(text)} characters: {text}"
        for path in sorted((REPOSITORY / "tools").rglob("*.py"))
        if "emulator" not in path.parts
        for text in messages(path)
        if len(text) > 4 * WIDTH
    ]
    assert found == []


def test_a_phrase_is_found_in_an_f_string_and_over_a_line_s_end(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(
        '"""Is made anew."""\nlines = [f"{x} is made "\n "anew"]\nsay("nobody is\\nthere")\n'
    )
    assert [phrase for text in literals(path) for phrase in stumbled_over(text)] == [
        r"\banew\b",
        r"\bmade anew\b",
        r"\bnobody is there\b",
    ]
