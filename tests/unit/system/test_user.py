"""A user without an entry in passwd, as a container gives one: `docker run --user 54321`."""

import os
from pathlib import Path

import pytest

from tools.errors import UserError
from tools.system import files, user


@pytest.fixture(autouse=True)
def _no_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME", "HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 54321)


def test_a_login_name_that_nothing_gives_is_asked_for_by_an_option() -> None:
    with pytest.raises(UserError, match=r"^nlp: no owner is given .*--owner.* or set USER$"):
        user.login_name("nlp")


def test_a_variable_gives_the_login_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER", "alice")
    assert user.login_name("nlp") == "alice"


def test_a_home_that_nothing_gives_is_asked_for_by_its_variable() -> None:
    with pytest.raises(UserError, match=r"^your home directory is not known here; set HOME$"):
        user.home_folder({})
    with pytest.raises(UserError, match=r"set HOME$"):
        files.user_cache()
    assert user.home_folder({"HOME": "/home/me"}) == Path("/home/me")
