"""A deployment that stops a notebook which AWS does not start again is warned of."""

import json
from pathlib import Path

import pytest

from tests.unit.engine.fake_terraform import FakeTerraform
from tools.engine.plans import Action, Change, Plan
from tools.engine.records import Records
from tools.layout.repository import Repository
from tools.runs.platforms import warn_of_stops

ADDRESS = "module.notebook.aws_sagemaker_notebook_instance.this"


@pytest.fixture
def records(tmp_path: Path) -> Records:
    """One notebook on Amazon Linux 2 by its state, and one on Amazon Linux 2023."""
    for folder in ("shared-infra", "modules"):
        (tmp_path / folder).mkdir()
    for name, platform in (("old", "notebook-al2-v3"), ("new", "notebook-al2023-v1")):
        directory = tmp_path / "notebooks" / name
        directory.mkdir(parents=True)
        (directory / "main.tf").write_text("")
        instance = {"attributes": {"platform_identifier": platform}}
        resource = {
            "module": "module.notebook",
            "mode": "managed",
            "type": "aws_sagemaker_notebook_instance",
            "name": "this",
            "instances": [instance],
        }
        state = {"version": 4, "lineage": "l", "serial": 1, "outputs": {}, "resources": [resource]}
        (directory / "terraform.tfstate").write_text(json.dumps(state))
    return Records(Repository(tmp_path), FakeTerraform.at(tmp_path))


def plan(name: str, action: Action) -> Plan:
    change = Change(ADDRESS, "aws_sagemaker_notebook_instance", action)
    return Plan(f"notebooks/{name}", "changed", changes=(change,))


def test_an_update_of_an_old_one_is_warned_of(
    records: Records, capsys: pytest.CaptureFixture[str]
) -> None:
    warn_of_stops(records, [plan("old", "update"), plan("new", "update")])
    (warning,) = capsys.readouterr().err.splitlines()
    assert "notebooks/old: an update of more than tags stops the notebook" in warning
    assert "(notebook-al2-v3, by its state)" in warning


@pytest.mark.parametrize("action", ["import", "destroy", "replace"])
def test_what_does_not_start_it_again_is_not(
    records: Records, capsys: pytest.CaptureFixture[str], action: Action
) -> None:
    warn_of_stops(records, [plan("old", action)])
    assert capsys.readouterr().err == ""


def test_a_state_that_cannot_be_read_ends_nothing(
    records: Records, capsys: pytest.CaptureFixture[str]
) -> None:
    state = records.repository.root / "notebooks/old/terraform.tfstate"
    state.write_text("{")
    warn_of_stops(records, [plan("old", "update")])
    assert capsys.readouterr().err == ""
