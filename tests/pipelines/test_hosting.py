"""One comment and one issue, whoever else has written, on a stand-in for both APIs."""

from collections.abc import Iterator

import pytest

from tools.errors import UserError
from tools.pipelines import hosting

from .api import Api, serving


@pytest.fixture
def api() -> Iterator[Api]:
    with serving() as api:
        yield api


def github(api: Api, token: str = "a-token") -> hosting.Hosting:
    env = {"GITHUB_REPOSITORY": "acme/n", "GITHUB_API_URL": api.url, "GITHUB_TOKEN": token}
    return hosting.from_environment(env)


def test_the_comment_is_replaced_and_those_of_others_stay(api: Api) -> None:
    quoted = {"id": 1, "body": "<!-- m -->\nquoted", "user": {"type": "User"}}
    api.comments += [quoted, *({**quoted, "id": n, "body": "x"} for n in (2, 3))]
    for text in ("one", "two"):
        github(api).write_comment("7", "<!-- m -->", text)
    assert [comment["body"] for comment in api.comments] == [
        "<!-- m -->\nquoted",
        "x",
        "x",
        "<!-- m -->\ntwo",
    ]


def test_the_issue_is_opened_replaced_and_closed(api: Api) -> None:
    assert github(api).write_issue("<!-- d -->", "Drift", "") == ""
    for text in ("a", "b"):
        github(api).write_issue("<!-- d -->", "Drift", text)
    assert [issue["body"] for issue in api.issues] == ["<!-- d -->\nb"]
    github(api).write_issue("<!-- d -->", "Drift", "")
    assert api.issues[0]["state"] == "closed"
    github(api).write_issue("<!-- d -->", "Drift", "c")
    assert len(api.issues) == 2


def gitlab(api: Api, token: str = "a-token") -> hosting.Hosting:
    env = {
        "CI_PROJECT_ID": "9",
        "CI_API_V4_URL": api.url,
        "CI_PROJECT_URL": "https://gitlab.example/n",
    }
    return hosting.from_environment({**env, "GITLAB_TOKEN": token})


def test_the_note_is_replaced_and_those_of_others_stay(api: Api) -> None:
    quoted = {"id": 11, "body": "<!-- m -->\nquoted", "author": {"id": 2}}
    api.comments += [quoted, *({**quoted, "id": n, "body": "x"} for n in (12, 13))]
    for text in ("one", "two"):
        address = gitlab(api).write_comment("7", "<!-- m -->", text)
    assert [note["body"] for note in api.comments] == [
        "<!-- m -->\nquoted",
        "x",
        "x",
        "<!-- m -->\ntwo",
    ]
    assert address == "https://gitlab.example/n/-/merge_requests/7#note_4"


def test_the_issue_of_gitlab_is_opened_replaced_and_closed(api: Api) -> None:
    assert gitlab(api).write_issue("<!-- d -->", "Drift", "") == ""
    for text in ("a", "b"):
        gitlab(api).write_issue("<!-- d -->", "Drift", text)
    assert [issue["description"] for issue in api.issues] == ["<!-- d -->\nb"]
    gitlab(api).write_issue("<!-- d -->", "Drift", "")
    assert api.issues[0]["state"] == "closed"
    gitlab(api).write_issue("<!-- d -->", "Drift", "c")
    assert len(api.issues) == 2


def test_a_refusal_of_gitlab_is_one_clear_error_without_the_token(api: Api) -> None:
    with pytest.raises(UserError, match=r"401") as raised:
        gitlab(api, "wrong-token").write_comment("7", "m", "text")
    assert "wrong-token" not in str(raised.value)
    with pytest.raises(UserError, match="GITLAB_TOKEN is not set"):
        gitlab(api, "")


def test_a_refusal_is_one_clear_error_without_the_token(api: Api) -> None:
    with pytest.raises(UserError, match=r"401") as raised:
        github(api, "wrong-token").write_comment("7", "m", "text")
    assert "wrong-token" not in str(raised.value)
    with pytest.raises(UserError, match="GITHUB_TOKEN is not set"):
        github(api, "")
    with pytest.raises(UserError, match="no job of GitHub Actions or GitLab CI"):
        hosting.from_environment({})
