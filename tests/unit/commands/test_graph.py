import html
import json
import shutil
from xml.etree import ElementTree

import pytest

from tests.trees import reading, write_stack
from tests.unit.commands.conftest import Checkout
from tools.commands.graph import FORMATS


def test_a_tree_is_what_a_person_gets(checkout: Checkout) -> None:
    done = checkout.tools("graph")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:2] == ["shared-infra/s3", "└── shared-infra/iam"]
    assert "    ├── notebooks/notebook-dev  (also reads iam, s3, security-groups)" in lines


def test_every_form_goes_to_standard_output_alone(checkout: Checkout) -> None:
    for form in FORMATS:
        done = checkout.tools("graph", "--format", form)
        assert (done.returncode, done.stderr) == (0, ""), form
        assert "notebook-prod" in html.unescape(done.stdout)
        if form == "json":
            assert json.loads(done.stdout)["stacks"][0]["kind"] == "shared"
        if form == "svg":
            assert ElementTree.fromstring(done.stdout).tag == "{http://www.w3.org/2000/svg}svg"


@pytest.mark.parametrize(
    ("where", "arguments"),
    [(".", ["notebook-dev"]), ("notebooks/notebook-dev", ["."]), (".", ["notebooks/*-dev"])],
)
def test_a_chosen_stack_comes_with_what_it_needs(
    checkout: Checkout, where: str, arguments: list[str]
) -> None:
    shutil.rmtree(checkout.root / "notebooks" / "notebook-prod")
    write_stack(checkout.root, "notebooks/other", reading("shared-infra/s3"))
    write_stack(checkout.root, "notebooks/after", reading("notebooks/notebook-dev"))
    drawn = checkout.tools("graph", "--format", "json", *arguments, cwd=where).stdout
    assert {stack["name"] for stack in json.loads(drawn)["stacks"]} == {
        "shared-infra/s3",
        "shared-infra/iam",
        "shared-infra/security-groups",
        "shared-infra/vpc-endpoints",
        "notebooks/notebook-dev",
        "notebooks/after",
    }


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["nobody"], 1, "no stack is called nobody"),
        (["--format", "png"], 2, "'png' is not one of"),
    ],
)
def test_bad_input_is_one_clear_error(
    checkout: Checkout, arguments: list[str], code: int, complaint: str
) -> None:
    done = checkout.tools("graph", *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert complaint in done.stderr


def test_a_circle_is_named(checkout: Checkout) -> None:
    write_stack(checkout.root, "notebooks/a", reading("notebooks/b"))
    write_stack(checkout.root, "notebooks/b", reading("notebooks/a"))
    done = checkout.tools("graph", "--format", "svg")
    assert (done.returncode, done.stdout) == (1, "")
    assert "read each other's state in a circle: notebooks/" in done.stderr
    assert done.stderr.count("\n") == 1
