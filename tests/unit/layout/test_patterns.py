"""Names and globs: which stacks a person means, and what is said when there are none."""

from pathlib import Path

import pytest

from tools.errors import UserError
from tools.layout.patterns import match_names, name_at

NAMES = ["shared-infra/s3", "notebooks/nlp-a", "notebooks/nlp-b", "notebooks/[x]", "notebooks/x"]


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("shared-infra/*", {"shared-infra/s3"}),
        ("nlp-?/", {"notebooks/nlp-a", "notebooks/nlp-b"}),
        ("[x]", {"notebooks/[x]"}),  # spelt out, though it is a glob that matches x
        ("[xy]", {"notebooks/x"}),
        ("team-nlp", {"notebooks/nlp-a"}),
        ("team-*", {"notebooks/nlp-a"}),
    ],
)
def test_a_pattern_is_a_name_a_part_an_alias_or_a_glob(pattern: str, matches: set[str]) -> None:
    aliases = {"notebooks/nlp-a": "team-nlp"}
    assert match_names([pattern], NAMES, "no stack is called", aliases) == matches
    assert match_names([pattern, "s3"], NAMES, "", aliases) == matches | {"shared-infra/s3"}


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [
        ("nlp-c", "did you mean nlp-b?"),
        ("notebook/nlp-a", "did you mean notebooks/nlp-a?"),
        ("zzzzzz", f"there are {', '.join(NAMES)}"),
    ],
)
def test_says_what_was_meant_or_what_there_is(pattern: str, hint: str) -> None:
    with pytest.raises(UserError) as raised:
        match_names(["s3", pattern], NAMES, "no stack is called")
    assert str(raised.value) == f"no stack is called {pattern}; {hint}"


def test_no_names_at_all() -> None:
    with pytest.raises(UserError, match=r"^no orphan is called x; there are none$"):
        match_names(["x"], [], "no orphan is called")


def test_a_directory_is_its_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("notebooks/n", ".tools/local/workspace/notebooks/m", "modules/k"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "notebooks/n")
    assert name_at(".", tmp_path) == "notebooks/n"
    assert name_at("../../.tools/local/workspace/notebooks/m", tmp_path) == "notebooks/m"
    assert name_at("../../modules/k", tmp_path) == "../../modules/k"
    assert name_at("nlp-*", tmp_path) == "nlp-*"
    assert name_at(".", tmp_path / "elsewhere") == "."


def test_of_many_the_ten_nearest_are_named() -> None:
    names = [f"notebooks/{letter * 8}" for letter in "abcdefghijkl"]
    with pytest.raises(UserError) as raised:
        match_names(["l1l2"], names, "no stack is called")
    words = str(raised.value).removeprefix("no stack is called l1l2; there are ")
    assert words.startswith("notebooks/llllllll, ")
    assert words.count("notebooks/") == 10
    assert words.endswith(" and 2 more")
