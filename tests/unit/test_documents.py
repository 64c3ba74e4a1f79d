"""The documents hold together: their links lead somewhere, and the index leads to all of them."""

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests.trees import REPOSITORY

# Inline code may hold brackets and parentheses that are no link; a fence is a block of its own.
_FENCE = re.compile(r"^( *)```.*?^\1```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`]*`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


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
    for link in _LINK.findall(prose(document)):
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


def test_the_index_leads_to_every_document() -> None:
    index = REPOSITORY / "docs/README.md"
    assert index.resolve() in [target for _, target, _ in links(REPOSITORY / "README.md")]
    reached = {target for _, target, _ in links(index)}
    missing = [path for path in (REPOSITORY / "docs").glob("*.md") if path.resolve() not in reached]
    assert [path.name for path in missing if path != index] == []
