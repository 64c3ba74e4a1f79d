"""Values in what users read are written as in JSON or HCL, never as Python writes them."""

import re

import pytest

from tests.unit.commands.conftest import Checkout, checkout
from tools.errors import shorten

__all__ = ["checkout"]
PYTHON = re.compile(r"\b(?:True|False|None)\b|\['|\{'|\bdatetime\b|<[\w.]+ object")
# Of each kind that YAML has; each is wrong for most of a notebook's values.
VALUES = ("true", "null", "[a, b]", "{x: 1}", "[[1], {y: null}]", "2026-01-31", "1.5", "~")
KEYS = (
    "name",
    "instance",
    "instance_type",
    "volume_size",
    "owner",
    "environment",
    "idle_stop_minutes",
    "isolated",
    "role_arn",
    "subnet_id",
    "security_group_ids",
    "additional_code_repositories",
    "imds_version",
    "schedule_days",
    "schedule_start",
    "schedule_timezone",
    "on_start_file",
    "tags",
    "profile",
    "from",
    "no_such_value",
)


@pytest.mark.parametrize("key", KEYS)
def test_no_value_of_a_row_is_shown_as_python_writes_it(checkout: Checkout, key: str) -> None:
    said = ""
    for value in VALUES:
        name = "" if key == "name" else "name: nlp, "
        (checkout.root / "t.yaml").write_text(f"- {{{name}{key}: {value}}}\n")
        done = checkout.tools("new-notebook", "--from-file", "t.yaml", "--dry-run")
        said += done.stderr + done.stdout
    assert said
    assert PYTHON.findall(said) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (None, "null"),
        (["a", 1], '["a", 1]'),
        ({"x": [None]}, '{"x": [null]}'),
        ("it's", '"it\'s"'),
        ("nlp", "'nlp'"),
    ],
)
def test_a_value_is_quoted_as_json_or_as_text(value: object, text: str) -> None:
    assert shorten(value) == text


def test_a_value_is_shortened_however_long_or_deep() -> None:
    assert len(shorten(["a" * 1000] * 1000)) < 100
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert len(shorten(deep)) < 100
    itself: list[object] = []
    itself.append(itself)
    assert shorten(itself) == "a value that is nested too deeply"
    laughs: list[object] = ["lol"]
    for _ in range(20):  # written out it would have 9 ** 20 words
        laughs = [laughs] * 9
    assert len(shorten(laughs)) < 100
