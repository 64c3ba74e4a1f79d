"""Terraform's errors and warnings, from its JSON and its text."""

import pytest

from tools.terraform.diagnostics import (
    Diagnostic,
    TerraformError,
    first_error,
    parse_diagnostics,
)

IN_A_BOX = """
╷
│ Warning: Value for undeclared variable
│ 
│ The root module does not declare a variable named "purpos".
╵
╷
│ Error: creating S3 Bucket (b)
│ 
│   with module.m.aws_s3_bucket.this["a"],
│   on ../../modules/m/main.tf line 12, in resource "aws_s3_bucket" "this":
│   12: resource "aws_s3_bucket" "this" {
│ 
│ operation error S3: CreateBucket,
│ AccessDenied
╵
╷
│ Error: Invalid character
│ 
│   on terraform.tfvars line 2:
│    2: purpose = = 1
│ 
╵
"""
BUCKET = Diagnostic(
    "creating S3 Bucket (b)",
    "operation error S3: CreateBucket, AccessDenied",
    'module.m.aws_s3_bucket.this["a"]',
    "../../modules/m/main.tf",
    12,
    'resource "aws_s3_bucket" "this" {',
)


def test_errors_in_text() -> None:
    invalid = Diagnostic("Invalid character", "", "", "terraform.tfvars", 2, "purpose = = 1")
    assert parse_diagnostics(IN_A_BOX) == [BUCKET, invalid]
    assert first_error(IN_A_BOX) == BUCKET
    assert BUCKET.text() == (
        "../../modules/m/main.tf, line 12: creating S3 Bucket (b): "
        "operation error S3: CreateBucket, AccessDenied"
    )


def test_warnings_in_text() -> None:
    (warning,) = parse_diagnostics(IN_A_BOX, "Warning")
    assert warning.text() == (
        'Value for undeclared variable: The root module does not declare a variable named "purpos".'
    )


def test_colours_are_left_out() -> None:
    text = "\x1b[31m╷\x1b[0m\n\x1b[31m│\x1b[0m \x1b[1mError: \x1b[0mFailed\n│ why\n╵\n"
    assert first_error(text) == Diagnostic("Failed", "why")


def test_text_without_an_error_is_its_end() -> None:
    assert first_error("open nothing:\n  no such file").text() == "open nothing: no such file"
    assert len(first_error("x" * 1000).text()) == 300
    assert len(first_error(f"Error: y\n{'x' * 1000}").detail) == 600


def test_a_provider_that_is_out_of_reach() -> None:
    error = first_error("│ Error: Failed to query available provider packages\n│ \n│ Could not\n")
    assert error.summary == "no provider: the registry is out of reach and no mirror was found"
    assert "/terraform/cli/commands/providers/mirror" in error.detail


def test_from_json() -> None:
    diagnostic = Diagnostic.from_json(
        {
            "severity": "error",
            "summary": "creating S3 Bucket (b)",
            "detail": "operation error S3:\n  CreateBucket,\nAccessDenied",
            "address": 'module.m.aws_s3_bucket.this["a"]',
            "range": {"filename": "../../modules/m/main.tf", "start": {"line": 12, "column": 1}},
            "snippet": {"code": '  resource "aws_s3_bucket" "this" {'},
        }
    )
    assert diagnostic == BUCKET


@pytest.mark.parametrize("empty", [{}, {"range": None, "snippet": None}])
def test_from_json_without_a_place(empty: dict[str, None]) -> None:
    assert Diagnostic.from_json({"summary": "no", **empty}) == Diagnostic("no")


def test_an_error_is_all_of_them() -> None:
    error = TerraformError([Diagnostic("one"), Diagnostic("two", "why")])
    assert str(error) == "one; two: why"


@pytest.mark.parametrize("where", ["", ' in workspace "other"'])
def test_a_warning_ends_where_terraform_asks_to_approve(where: str) -> None:
    text = (
        "Warning: Argument is deprecated\n\nUse another one.\n\n"
        f"Do you want to perform these actions{where}?\n  Terraform will perform the actions\n"
    )
    (warning,) = parse_diagnostics(text, "Warning")
    assert warning.detail == "Use another one."
