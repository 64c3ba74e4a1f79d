"""The elements of a .tf file, with their places in its text: for what is to be merged as text."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tools.hcl.syntax import Body, Parser, parse_file

# Ends a comment that stands by itself.
_BLANK = re.compile(r"^[ \t]*\n", re.MULTILINE)
# `terraform fmt` aligns what is assigned, so that one line's spaces depend on the others'.
_ALIGNED = re.compile(r"^(\s*[\w-]+)[ \t]*=[ \t]+", re.MULTILINE)


@dataclass(frozen=True)
class Element:
    """An attribute, a block or a comment by itself, at `text[start:end]` of its file.

    `key` tells which one it is, such as `variable.owner` or `local.name`; what has no name of its
    own is numbered. The comment that stands directly above belongs to it. `body` is what stands
    between the braces of a block.
    """

    key: str
    text: str
    start: int
    end: int
    line: int
    body: tuple[int, int] | None

    @property
    def lines(self) -> str:
        """Its lines, in words."""
        last = self.line + self.text.rstrip("\n").count("\n")
        return f"line {self.line}" if last == self.line else f"lines {self.line} to {last}"

    def is_same(self, other: "Element") -> bool:
        """Whether both say the same, whatever the alignment."""
        return _plain(self.text) == _plain(other.text)


def _plain(text: str) -> str:
    return _ALIGNED.sub(r"\1 = ", text.strip())


def split(text: str) -> list[Element]:
    """The elements of a file or of a block's body, in their order.

    `locals` blocks are split into their attributes. Raises UnreadableError.
    """
    reader = _Reader(text)
    elements = list(reader.elements(0))
    reader.end()
    return elements


class _Reader(Parser):
    """A parser that notes places."""

    def elements(self, begin: int, prefix: str = "") -> Iterator[Element]:
        """The elements up to the end, or to the brace that closes a block."""
        numbers: dict[str, int] = {}

        def numbered(key: str) -> str:
            numbers[key] = numbers.get(key, -1) + 1
            return f"{key}#{numbers[key]}" if numbers[key] else key

        while True:
            self.skip(lines=True)
            is_over = self.at == len(self.text) or self.text[self.at] == "}"
            trivia = self.text[begin : self.at]
            # What ends with the body is a comment by itself, but for the brace's indentation.
            blanks = [match.end() for match in _BLANK.finditer(trivia)]
            loose = trivia.rstrip() if is_over else trivia[: blanks[-1] if blanks else 0]
            if loose.strip():
                key = numbered(f"comment {' '.join(loose.split())}")
                yield self._element(key, begin, begin + len(loose))
            if is_over:
                return
            begin += len(loose)
            name = self.identifier()
            if self.take("="):
                self.expression()
                yield self._element(numbered(prefix + name), begin, self._end_of_line())
            else:
                yield from self._block(name, begin, numbered)
            begin = self.at

    def _block(self, name: str, begin: int, numbered: Callable[[str], str]) -> Iterator[Element]:
        labels = self.labels()
        inside = self.at
        if name == "locals":
            above = self.text[begin : self.text.rindex("locals", begin, inside)]
            if above.strip():
                key = numbered(f"comment {' '.join(above.split())}")
                yield self._element(key, begin, begin + len(above))
            yield from self.elements(inside, "local.")
            self.need("}")
            self._end_of_line()
            return
        self.body()
        close = self.at
        self.need("}")
        key = numbered(".".join((name, *labels)))
        yield self._element(key, begin, self._end_of_line(), (inside, close))

    def _end_of_line(self) -> int:
        """Moves behind the comment and the line's end that follow."""
        self.skip()
        if self.text.startswith("\n", self.at):
            self.at += 1
        return self.at

    def _element(
        self, key: str, start: int, end: int, body: tuple[int, int] | None = None
    ) -> Element:
        return Element(
            key, self.text[start:end], start, end, self.text.count("\n", 0, start) + 1, body
        )


def references(text: str) -> set[str]:
    """What a text refers to: `var.x`, `local.x`, `module.x`, `data.type.name`, `type.name`."""
    return set(_references(parse_file(text)))


def declared(key: str) -> str:
    """How expressions refer to the element with this key."""
    kind, _, name = key.partition(".")
    return {"variable": f"var.{name}", "resource": name}.get(kind, key)


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, Body):
        for value in node.attributes.values():
            yield from _references(value)
        for block in node.blocks:
            yield from _references(block.body)
        return
    if not isinstance(node, list):
        return
    names: list[str] = []
    inner = node
    while len(inner) == 3 and inner[0] == "attribute" and isinstance(inner[1], list):
        names.append(str(inner[2]))
        inner = inner[1]
    if names and inner[0] == "name":
        names = [str(inner[1]), *reversed(names)]
        yield ".".join(names[: 3 if names[0] == "data" else 2])
        return
    for item in node:
        yield from _references(item)
