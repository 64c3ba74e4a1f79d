from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tools.aws.client import Cloud, RequestError
from tools.aws.sagemaker import Instance
from tools.fleet import platforms
from tools.fleet.fleet import DeclaredNotebook, Fleet
from tools.fleet.status import NotebookStatus, read_status
from tools.hcl import reading
from tools.layout.repository import Repository
from tools.layout.stack import Stack

DECLARED: dict[str, reading.Value] = {
    "name": "n",
    "instance_type": "ml.t3.medium",
    "idle_stop_minutes": 60,
    "default_code_repository": "https://example.org/a",
    "additional_code_repositories": ["b", "c"],
}


def notebook(declared: dict[str, reading.Value], **there: object) -> NotebookStatus:
    values: dict[str, object] = {
        "name": "n",
        "arn": "arn:aws:sagemaker:eu-west-1:123456789012:notebook-instance/n",
        "status": "InService",
        "instance_type": "ml.t3.medium",
        "modified": datetime(2026, 1, 31, tzinfo=UTC),
        "lifecycle": "n",
        "repositories": ("https://example.org/a", "c", "b"),
        **there,
    }
    stack = Stack(Path(), "notebooks/n")
    return NotebookStatus(
        DeclaredNotebook(stack, {**DECLARED, **declared}, "eu-west-1"),
        Instance(**values),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("declared", "there", "differences"),
    [
        ({}, {}, []),
        (
            {},
            {"instance_type": "ml.p5.48xlarge"},
            ["instance_type is ml.p5.48xlarge, declared ml.t3.medium"],
        ),
        (
            {"default_code_repository": None, "additional_code_repositories": []},
            {"repositories": ("x", "y")},
            ["code repositories are x y, declared none"],
        ),
        ({}, {"lifecycle": None}, ["no lifecycle configuration: it does not stop when idle"]),
        ({"idle_stop_minutes": 0}, {"lifecycle": None}, []),
        (
            {"idle_stop_minutes": 0, "on_start_file": "x.sh"},
            {"lifecycle": None},
            ["no lifecycle configuration: its script does not run at a start"],
        ),
        ({"idle_stop_minutes": 0}, {}, []),  # somebody's own, attached by hand
    ],
)
def test_differences_are_what_a_listing_shows(
    declared: dict[str, reading.Value], there: dict[str, object], differences: list[str]
) -> None:
    assert notebook(declared, **there).differences == differences


def test_whose_an_instance_is_is_not_known_if_aws_refuses_to_list_the_tags(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> Iterator[Any]:
        raise RequestError("cannot list the project's tags", "AccessDeniedException", "no")
        yield

    instance = notebook({}).instance
    monkeypatch.setattr(Fleet, "instances", lambda *_: {"eu-west-1": {"n": instance}})
    monkeypatch.setattr(platforms, "find_retired", lambda *_: {})
    monkeypatch.setattr(Cloud, "items", refuse)
    (tmp_path / "common.auto.tfvars").write_text('project = "acme"\nregion = "eu-west-1"\n')
    (found,) = read_status(Fleet(tmp_path, Repository(tmp_path), "eu-west-1"), []).undeclared
    assert found.as_json()["of_this_project"] is None
    assert found.as_json()["tags"] == {}
