"""What no root of ours may do, since a program warns of it: OpenTofu cannot run in the tests."""

import re
from collections.abc import Iterator
from typing import Any

import hcl2
import pytest

from tests.trees import REPOSITORY, tracked

# A resource as a whole, or the elements of one as they are: deprecated attributes are in it, and
# OpenTofu 1.12 says for each "Value derived from a deprecated source".
_WHOLE = re.compile(
    r"\$\{(?:aws_\w+\.\w+|\{for \w+, (\w+) in aws_\w+\.\w+ ?: .*=> \1(?: if .*)?\})\}"
)


def iterations(block: Any) -> Iterator[str]:
    """Every `for_each` in a parsed file, however deep."""
    if isinstance(block, dict):
        for name, value in block.items():
            if name == "for_each" and isinstance(value, str):
                yield value
            yield from iterations(value)
    elif isinstance(block, list):
        for part in block:
            yield from iterations(part)


def whole(text: str) -> list[str]:
    parsed = hcl2.loads(text)
    return [found for found in iterations(parsed) if _WHOLE.fullmatch(found)]


def test_nothing_iterates_over_whole_resources() -> None:
    files = [name for name in tracked("bootstrap", "shared-infra", "modules") if name[-3:] == ".tf"]
    texts = {name: (REPOSITORY / name).read_text() for name in files}
    # To read a file takes long: only those that may be such.
    suspects = {name: text for name, text in texts.items() if re.search(r"for_each.*aws_", text)}
    assert {name: whole(text) for name, text in suspects.items() if whole(text)} == {}


@pytest.mark.parametrize(
    "iteration",
    ["aws_s3_bucket.further", "{ for p, b in aws_s3_bucket.further : p => b if var.x != null }"],
)
def test_such_an_iteration_is_found(iteration: str) -> None:
    assert whole(f'resource "aws_a" "b" {{\n  for_each = {iteration}\n}}\n')
