"""The documents hold together: links lead somewhere, the index leads to all, words are defined."""

import os
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from tests.trees import REPOSITORY
from tools.cli import group

# Inline code may hold brackets and parentheses that are no link; a fence is a block of its own.
_FENCE = re.compile(r"^( *)```.*?^\1```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`]*`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_LINK_WITH_TEXT = re.compile(r"\[[^\]]*\]\([^)\s]+\)")
_HEADING = re.compile(r"^#.*$", re.MULTILINE)
# Made from code, where a link has no place.
_GENERATED = re.compile(
    r"<!-- (?:BEGIN_TF_DOCS|Table made by).*?<!-- (?:END_TF_DOCS|End of)[^>]*>", re.DOTALL
)

GLOSSARY = REPOSITORY / "docs" / "glossary.md"
# Each of our words as it stands in a sentence, by its heading in the glossary. A lock file, a lock
# table and a state bucket are other things than a lock or a state.
WORDS = {
    "stack": r"stacks?",
    "root-module": r"root modules?",
    "state": r"states?(?! bucket)",
    "lock": r"locks?(?! files?| tables?| you\b| them\b| it\b| the\b)",
    "record": r"(?<!is a )records?(?= of| beside| does|,|\.)",
    "upstream": r"upstream",
    "downstream": r"downstream",
    "working-copy": r"working cop(?:y|ies)",
    "orphan": r"orphans?",
    "drift": r"drift",
    "isolated-notebook": r"isolated notebooks?",
}
# For those who work on this, who have read the others; and lists that are made.
NOT_FOR_USERS = (
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "decisions",
    "benchmarks",
    "templates",
    "emulator",
)
MADE = ("errors.md", "reference.md")


def documents() -> list[Path]:
    """Every document that git has or would take, from the repository's root."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    return [REPOSITORY / name for name in listed.stdout.splitlines()]


def prose(document: Path) -> str:
    """The document without its code."""
    return _CODE.sub("`code`", _FENCE.sub("", document.read_text()))


@cache
def anchors(document: Path) -> frozenset[str]:
    """The anchors that GitHub gives to headings: lower case, spaces to hyphens, no punctuation."""
    text = _FENCE.sub("", document.read_text())
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return frozenset(re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles)


def links(document: Path) -> list[tuple[str, Path, str]]:
    """The links into the repository: as written, the file and the anchor."""
    found = []
    text = prose(document)
    for link in (*_LINK.findall(text), *re.findall(r'(?:href|src)="([^"]+)"', text)):
        if not re.match(r"[a-z]+:", link):
            path, _, anchor = link.partition("#")
            target = (document.parent / path).resolve() if path else document
            found.append((link, target, anchor))
    return found


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.name))
def test_links_lead_somewhere(document: Path) -> None:
    for link, target, anchor in links(document):
        assert target.is_relative_to(REPOSITORY.resolve()), link
        assert target.exists(), f"{document}: {link}: there is no such file"
        assert not anchor or anchor in anchors(target), f"{document}: {link}: no such heading"


def test_the_table_of_scripts_names_each_that_runs_on_a_notebook() -> None:
    folder = REPOSITORY / "modules/sagemaker-notebook/scripts"
    rows = re.findall(r"^\| `([^`]+)` \| ", (folder / "README.md").read_text(), re.M)
    there = {path.name for path in folder.iterdir()} - {"README.md", "ruff.toml", "__pycache__"}
    assert {row.rstrip("/") for row in rows} == there


def test_the_index_leads_to_every_document() -> None:
    index = REPOSITORY / "docs/README.md"
    assert index.resolve() in [target for _, target, _ in links(REPOSITORY / "README.md")]
    reached = {target for _, target, _ in links(index)}
    missing = [path for path in (REPOSITORY / "docs").glob("*.md") if path.resolve() not in reached]
    assert [path.name for path in missing if path != index] == []


def for_users() -> list[Path]:
    """The documents that a user reads, without the glossary and lists that are made."""
    return [
        document
        for document in documents()
        if not {*NOT_FOR_USERS} & {*document.relative_to(REPOSITORY).parts}
        and document.name not in MADE
        and document != GLOSSARY
    ]


@pytest.mark.parametrize(
    "document", for_users(), ids=lambda path: f"{path.parent.name}-{path.name}"
)
def test_a_word_of_ours_leads_to_the_glossary_where_it_is_used_first(document: Path) -> None:
    text = _HEADING.sub("", _GENERATED.sub("", prose(document)))
    wrong = []
    for anchor, word in WORDS.items():
        used = re.search(rf"\b{word}\b", _LINK_WITH_TEXT.sub(_blank, text), re.IGNORECASE)
        linked = text.find(f"glossary.md#{anchor})")
        if used and not -1 < linked < used.start():
            link = os.path.relpath(GLOSSARY, document.parent)
            wrong.append(f"[{used[0]}]({link}#{anchor})")
    assert wrong == [], "write so where it is used first"


def test_every_word_of_ours_is_in_the_glossary_in_one_sentence() -> None:
    assert anchors(GLOSSARY) >= WORDS.keys()
    for section in GLOSSARY.read_text().split("\n## ")[1:]:
        title, _, text = section.partition("\n")
        assert re.fullmatch(r"[^.]+(\.[a-z][^.]+)*\.", text.strip(), re.DOTALL), title


def _blank(link: re.Match[str]) -> str:
    return " " * len(link[0])


def typed_in(document: Path) -> Iterator[list[str]]:
    """The words of each `tools` and `make` command in a document, without what is not a word."""
    text = document.read_text()
    spans = re.findall(r"(?<!`)`([^`\n]+)`(?!`)", _FENCE.sub("", text))
    blocks = [line for block in _FENCE.finditer(text) for line in block[0].splitlines()]
    for code in (*spans, *blocks):
        for command in re.split(r"&&|\|\||[;|]|\$\(", re.sub(r"\s# .*", "", code)):
            words = re.findall(r"[^\s\"']+|\"[^\"]*\"|'[^']*'", command.strip())
            if words and words[0].removeprefix(".venv/bin/") in ("tools", "make"):
                yield [words[0].removeprefix(".venv/bin/"), *words[1:]]


def complaints(words: list[str]) -> Iterator[str]:
    """What a command names that there is not: a subcommand, an option, a target."""
    program, *rest = words
    if program == "make":
        targets = re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
        yield from (f"make {word}" for word in rest if word.islower() and word not in targets)
        return
    command: click.Command = group
    context = click.Context(group)
    for word in rest:
        option = word.partition("=")[0].rstrip("],)")
        known = {name for parameter in command.params for name in parameter.opts}
        if option.startswith("--") and option not in {*known, "--help"}:
            yield f"{command.name} {option}"
        elif isinstance(command, click.Group) and re.fullmatch(r"[a-z][a-z-]+", word):
            found = command.get_command(context, word)
            if found is None:
                yield f"{command.name} {word}"
                return
            command = found


@pytest.mark.parametrize(
    "document",
    [document for document in documents() if document.name not in ("CHANGELOG.md", *MADE)],
    ids=lambda path: f"{path.parent.name}-{path.name}",
)
def test_every_command_and_option_that_is_named_exists(document: Path) -> None:
    """The oracle is click: the options that the program takes."""
    wrong = [(*words, complaint) for words in typed_in(document) for complaint in complaints(words)]
    assert wrong == []
