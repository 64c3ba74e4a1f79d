"""Which instances the states hold, by the files that Terraform writes."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tools.context import Context
from tools.fleet.fleet import DeclaredNotebook, Fleet
from tools.fleet.holdings import read_holdings
from tools.layout.repository import Repository
from tools.layout.stack import Stack


@pytest.fixture
def notebook(tmp_path: Path) -> DeclaredNotebook:
    stack = Stack(tmp_path, "notebooks/n")
    stack.path.mkdir(parents=True)
    return DeclaredNotebook(stack, {"name": "n"}, "us-east-1")


def state(kind: str, name: str, mode: str = "managed") -> str:
    instances = [{"attributes": {"name": name}}]
    resource = {"mode": mode, "type": kind, "name": "this", "instances": instances}
    return json.dumps({"lineage": "l", "serial": 1, "outputs": {}, "resources": [resource]})


NOTEBOOK = "aws_sagemaker_notebook_instance"


@pytest.mark.parametrize(
    ("text", "is_held"),
    [
        (state(NOTEBOOK, "n"), True),
        (state(NOTEBOOK, "other"), False),
        (state("aws_s3_bucket", "n"), False),
        (state(NOTEBOOK, "n", mode="data"), False),
        (None, False),
        ("{", None),
    ],
)
def test_a_state_holds_it_or_not_or_cannot_be_read(
    notebook: DeclaredNotebook, text: str | None, is_held: bool | None
) -> None:
    if text is not None:
        (notebook.stack.path / "terraform.tfstate").write_text(text)
    root = notebook.stack.root
    fleet = Fleet(root, Repository(root), "us-east-1")
    assert read_holdings(fleet, [notebook]) == {"notebooks/n": is_held}
    elsewhere = replace(fleet, other_states="TF_WORKSPACE is set")
    assert read_holdings(elsewhere, [notebook]) == {"notebooks/n": None}


def test_files_that_do_not_say_where_the_state_is(notebook: DeclaredNotebook) -> None:
    (notebook.stack.path / "override.tf").write_text("")
    fleet = Fleet(notebook.stack.root, Repository(notebook.stack.root), "us-east-1")
    assert read_holdings(fleet, [notebook]) == {"notebooks/n": None}


@pytest.mark.parametrize(
    ("env", "why"),
    [
        ({}, ""),
        ({"TF_WORKSPACE": "staging"}, "TF_WORKSPACE is set (staging)"),
        ({"TF_DATA_DIR": "/data"}, "TF_DATA_DIR is set (/data)"),
        ({"TF_CLI_ARGS_plan": "-state=other"}, "TF_CLI_ARGS_plan has the option -state"),
        ({"TF_CLI_ARGS_init": "-backend-config=key=x"}, "-backend-config may name other states"),
    ],
)
def test_variables_that_lead_terraform_elsewhere_are_why_nothing_is_known(
    notebook: DeclaredNotebook, env: dict[str, str], why: str
) -> None:
    root = notebook.stack.root
    for folder in ("shared-infra", "modules"):
        (root / folder).mkdir()
    (root / "common.auto.tfvars").write_text('project = "p"\nregion = "us-east-1"\n')
    (notebook.stack.path / "main.tf").write_text("")
    fleet = Fleet.open(Context(root, env), local=False)
    assert fleet.other_states.startswith(why)
    assert bool(fleet.other_states) == bool(env)
    assert read_holdings(fleet, [notebook]) == {"notebooks/n": None if env else False}
