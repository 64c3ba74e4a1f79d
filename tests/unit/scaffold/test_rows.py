"""What a row says, and what is taken if it does not say it."""

import getpass

import pytest

from tests.trees import REPOSITORY
from tools.errors import UserError
from tools.layout.repository import Repository
from tools.scaffold import render, rows

TYPES = render.variables(REPOSITORY / "templates" / "notebook")


def no_login_name() -> str:
    raise KeyError("getpwuid(): uid not found: 54321")


def test_a_login_name_is_asked_for_only_if_no_owner_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(getpass, "getuser", no_login_name)
    repository = Repository(REPOSITORY)
    for row, common in (
        ({"owner": "alice"}, {}),
        ({}, {"owner": "alice"}),
        ({"from": "notebook-dev"}, {}),
    ):
        made = rows.build({"name": "nlp", **row}, common, repository, TYPES)
        assert made.values["owner"]
    with pytest.raises(UserError, match=r"^nlp: no owner is given"):
        rows.build({"name": "nlp"}, {}, repository, TYPES)
