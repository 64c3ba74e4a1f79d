"""The comment of a pull or merge request, and the issue on drift: GitHub's and GitLab's APIs."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any, Protocol
from urllib.parse import quote

from tools.errors import UserError

_SECONDS = 30
_PER_PAGE = 100


class Hosting(Protocol):
    """Where the repository is kept."""

    def write_comment(self, request: str, marker: str, text: str) -> str:
        """Writes the comment with `marker` of a pull or merge request, in place of an earlier one.

        Returns its address. Raises UserError if that is refused.
        """

    def write_issue(self, marker: str, title: str, text: str) -> str:
        """Opens the issue with `marker`, or replaces its text; closes it if `text` is empty.

        Returns its address, empty if there is none. Raises UserError if that is refused.
        """


def from_environment(env: Mapping[str, str]) -> Hosting:
    """Returns the hosting that runs this job. Raises UserError if none does, or without a token."""
    if "GITHUB_REPOSITORY" in env:
        return GitHub(env.get("GITHUB_API_URL", "https://api.github.com"), env)
    if "CI_PROJECT_ID" in env:
        return GitLab(env.get("CI_API_V4_URL", "https://gitlab.com/api/v4"), env)
    raise UserError("this is no job of GitHub Actions or GitLab CI: there is nobody to tell")


class _Api:
    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self._url = url.rstrip("/")
        self._headers = headers

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Returns the answer. Raises UserError if there is none, or a refusal."""
        http_request = urllib.request.Request(
            f"{self._url}/{path}",
            json.dumps(body).encode() if body is not None else None,
            {"Content-Type": "application/json", **self._headers},
            method=method,
        )
        try:
            with urllib.request.urlopen(http_request, timeout=_SECONDS) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise UserError(
                f"{method} {http_request.full_url}: {error.code} {error.reason}"
            ) from None
        except (OSError, ValueError) as error:
            raise UserError(f"{method} {http_request.full_url}: {error}") from None

    def items(self, path: str) -> Iterator[Any]:
        """Yields the items of all pages."""
        sign = "&" if "?" in path else "?"
        page = 1
        while items := self.call("GET", f"{path}{sign}per_page={_PER_PAGE}&page={page}"):
            yield from items
            page += 1


class GitHub:
    """Writes comments and issues on GitHub: https://docs.github.com/en/rest/issues"""

    def __init__(self, url: str, env: Mapping[str, str]) -> None:
        token = _require(env, "GITHUB_TOKEN")
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"}
        self._api = _Api(url, headers)
        self._repository = f"repos/{env['GITHUB_REPOSITORY']}"

    def write_comment(self, request: str, marker: str, text: str) -> str:
        comments = f"{self._repository}/issues/{request}/comments"
        body = {"body": f"{marker}\n{text}"}
        # Only a comment of a workflow, whose token is a GitHub App's: a person may have quoted it.
        # https://docs.github.com/en/actions/concepts/security/github_token
        for comment in self._api.items(comments):
            if comment["body"].startswith(marker) and comment["user"]["type"] == "Bot":
                path = f"{self._repository}/issues/comments/{comment['id']}"
                return str(self._api.call("PATCH", path, body)["html_url"])
        return str(self._api.call("POST", comments, body)["html_url"])

    def write_issue(self, marker: str, title: str, text: str) -> str:
        issues = f"{self._repository}/issues"
        body = {"title": title, "body": f"{marker}\n{text}"}
        for issue in self._api.items(f"{issues}?state=open"):
            if (issue["body"] or "").startswith(marker) and "pull_request" not in issue:
                change = body if text else {"state": "closed"}
                return str(
                    self._api.call("PATCH", f"{issues}/{issue['number']}", change)["html_url"]
                )
        return str(self._api.call("POST", issues, body)["html_url"]) if text else ""


class GitLab:
    """Writes comments and issues on GitLab.

    https://docs.gitlab.com/api/notes
    https://docs.gitlab.com/api/issues
    """

    def __init__(self, url: str, env: Mapping[str, str]) -> None:
        # A job's own token may not write notes: https://docs.gitlab.com/ci/jobs/ci_job_token
        self._api = _Api(url, {"PRIVATE-TOKEN": _require(env, "GITLAB_TOKEN")})
        self._project = f"projects/{quote(env['CI_PROJECT_ID'], safe='')}"
        self._web = env.get("CI_PROJECT_URL", "")

    def write_comment(self, request: str, marker: str, text: str) -> str:
        notes = f"{self._project}/merge_requests/{request}/notes"
        body = {"body": f"{marker}\n{text}"}
        own_id = self._api.call("GET", "user")["id"]
        for note in self._api.items(notes):
            if note["body"].startswith(marker) and note["author"]["id"] == own_id:
                self._api.call("PUT", f"{notes}/{note['id']}", body)
                return f"{self._web}/-/merge_requests/{request}#note_{note['id']}"
        made = self._api.call("POST", notes, body)
        return f"{self._web}/-/merge_requests/{request}#note_{made['id']}"

    def write_issue(self, marker: str, title: str, text: str) -> str:
        issues = f"{self._project}/issues"
        body = {"title": title, "description": f"{marker}\n{text}"}
        for issue in self._api.items(f"{issues}?state=opened"):
            if (issue["description"] or "").startswith(marker):
                change = body if text else {"state_event": "close"}
                return str(self._api.call("PUT", f"{issues}/{issue['iid']}", change)["web_url"])
        return str(self._api.call("POST", issues, body)["web_url"]) if text else ""


def _require(env: Mapping[str, str], name: str) -> str:
    if not env.get(name):
        raise UserError(f"{name} is not set, so nothing can be written: docs/pipelines.md says how")
    return env[name]
