"""Terraform's AWS provider against the SageMaker plugin: apply, no changes, update, destroy."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tools.localcloud.client import environment
from tools.localcloud.process import Running
from tools.terraform.binary import Terraform

ROOT = """
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

provider "aws" {
  default_tags {
    tags = { ManagedBy = "terraform" }
  }
}

variable "instance_type" {
  type = string
}

variable "script" {
  type = string
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["sagemaker.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "this" {
  name               = "plugin-test"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_vpc" "this" {
  cidr_block = "10.9.0.0/16"
}

resource "aws_subnet" "this" {
  vpc_id     = aws_vpc.this.id
  cidr_block = "10.9.0.0/24"
}

resource "aws_security_group" "this" {
  name   = "plugin-test"
  vpc_id = aws_vpc.this.id
}

resource "aws_sagemaker_notebook_instance_lifecycle_configuration" "this" {
  name     = "plugin-test"
  on_start = base64encode(var.script)
}

resource "aws_sagemaker_code_repository" "this" {
  code_repository_name = "plugin-test"
  git_config {
    repository_url = "https://example.com/repository.git"
  }
}

resource "aws_sagemaker_notebook_instance" "this" {
  name                         = "plugin-test"
  role_arn                     = aws_iam_role.this.arn
  instance_type                = var.instance_type
  subnet_id                    = aws_subnet.this.id
  security_groups              = [aws_security_group.this.id]
  direct_internet_access       = "Disabled"
  root_access                  = "Disabled"
  default_code_repository      = aws_sagemaker_code_repository.this.code_repository_name
  additional_code_repositories = ["https://example.com/other.git"]
  lifecycle_config_name        = aws_sagemaker_notebook_instance_lifecycle_configuration.this.name
  instance_metadata_service_configuration {
    minimum_instance_metadata_service_version = "2"
  }
  tags = { Owner = "team" }
}
"""


@pytest.mark.nightly
def test_a_notebook_lives_its_life_in_terraform(
    tmp_path: Path, local_cloud: Running, terraform: Terraform, client: Callable[..., Any]
) -> None:
    env = {**terraform.env, **environment(local_cloud.endpoint)}
    root = tmp_path / "root"
    root.mkdir()
    (root / "main.tf").write_text(ROOT)

    def run(*arguments: str, expected: int = 0) -> None:
        command = [str(terraform.binary), *arguments, "-no-color"]
        done = subprocess.run(
            command, cwd=root, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == expected, done.stdout + done.stderr

    def set_values(**values: str) -> None:
        (root / "values.auto.tfvars.json").write_text(json.dumps(values))

    def notebook() -> dict[str, Any]:
        found: dict[str, Any] = client("sagemaker").describe_notebook_instance(
            NotebookInstanceName="plugin-test"
        )
        return found

    set_values(instance_type="ml.t3.medium", script="echo one")
    run("init", "-input=false")
    try:
        run("apply", "-auto-approve", "-input=false")
        created = notebook()
        assert created["NotebookInstanceStatus"] == "InService"
        tags = client("sagemaker").list_tags(ResourceArn=created["NotebookInstanceArn"])["Tags"]
        assert {tag["Key"]: tag["Value"] for tag in tags} == {
            "ManagedBy": "terraform",
            "Owner": "team",
        }
        run("plan", "-detailed-exitcode", "-input=false")

        set_values(instance_type="ml.m5.xlarge", script="echo two")
        run("apply", "-auto-approve", "-input=false")
        updated = notebook()
        assert updated["InstanceType"] == "ml.m5.xlarge"
        assert updated["NotebookInstanceStatus"] == "InService"
        assert updated["CreationTime"] == created["CreationTime"]
        run("plan", "-detailed-exitcode", "-input=false")
    finally:
        run("destroy", "-auto-approve", "-input=false")
    assert (
        client("sagemaker").list_notebook_instances(NameContains="plugin-test")["NotebookInstances"]
        == []
    )
