"""docs/security.md says what is so: its tests exist, its tables are fresh."""

import ast
import re

import pytest

from tests.trees import REPOSITORY

from .skips_table import COMMAND, DOCUMENT, renewed

NAMED = re.findall(r"`(tests/[\w/]+\.py)(?:::(test_\w+))?`", DOCUMENT.read_text())
# What AWS Security Hub asks of what is made here.
CONTROLS = {
    *("SageMaker.1", "SageMaker.2", "SageMaker.3", "SageMaker.8"),
    *("EC2.10", "EC2.13", "EC2.14", "EC2.18", "EC2.19"),
    *("IAM.1", "IAM.21", "KMS.1", "KMS.2"),
    *("S3.5", "S3.6", "S3.7", "S3.8", "S3.9", "S3.10", "S3.11", "S3.12", "S3.13", "S3.14", "S3.17"),
}


@pytest.mark.parametrize(("file", "test"), sorted(set(NAMED)))
def test_every_test_that_is_named_exists(file: str, test: str) -> None:
    tree = ast.parse((REPOSITORY / file).read_text())
    names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert test in names or not test


def test_every_control_has_a_row_with_a_test_or_a_reason() -> None:
    rows = {
        name: row
        for row in re.findall(r"^\| .*$", DOCUMENT.read_text(), re.MULTILINE)
        for name in re.findall(r"\b(?:SageMaker|EC2|IAM|KMS|S3)\.\d+", row.split("|")[1])
    }
    assert rows.keys() >= CONTROLS
    for name, row in rows.items():
        assert "`tests/" in row or "skipped" in row, name


def test_the_table_of_skipped_checks_is_fresh() -> None:
    assert DOCUMENT.read_text() == renewed(), f"renew it: {COMMAND}"


def test_the_readme_leads_here() -> None:
    assert "(docs/security.md)" in (REPOSITORY / "README.md").read_text()
