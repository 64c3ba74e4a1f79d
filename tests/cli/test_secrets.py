"""Secrets planted wherever a user may have them, and looked for in all that a run leaves behind."""

import base64
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil  # type: ignore[import-untyped]
import pytest

from tests.cli.conftest import Checkout, attach, user_env
from tests.keeper import kept_env
from tests.trees import copy_repository, empty_stacks, reading, write_stack
from tools.localcloud.process import Running
from tools.terraform.binary import Terraform

IN_FILE = "Planted-In-A-File-8c1f"
IN_ENVIRONMENT = "Planted-In-The-Environment-4e9a"
IN_A_LIST = 'Planted "in" a <list> 77b2'
IN_A_BROKEN_FILE = "Planted-In-A-Broken-File-51d0"
IN_A_REFUSED_VALUE = "planted-in-a-refused-value-d3e7"
IN_AN_URL = "ghp_PlantedInAnUrl19f0"
ACCESS_KEY = "PlantedSecretAccessKey/0123456789abcdefghij"
SESSION_TOKEN = "PlantedSessionToken/abcdefghijklmnopqrstuvwxyz"

VARIABLES = """
variable "password" {
  type      = string
  sensitive = true
}

variable "token" {
  type      = string
  sensitive = true
}

variable "keys" {
  type      = list(string)
  sensitive = true
}
"""
# What Terraform hides, what a provider makes of it, and what a provisioner says.
VAULT = (
    VARIABLES
    + """
provider "aws" {
  region = "us-east-1"
}

resource "aws_secretsmanager_secret" "this" {
  name                    = var.password
  recovery_window_in_days = 0
}

resource "aws_secretsmanager_secret_version" "this" {
  secret_id     = aws_secretsmanager_secret.this.id
  secret_string = jsonencode({ token = var.token, keys = var.keys })
}

resource "terraform_data" "this" {
  input = nonsensitive(var.keys[0])

  provisioner "local-exec" {
    command = "env"
  }
}

output "keys" {
  value     = var.keys
  sensitive = true
}

output "plain" {
  value = "shown"
}
"""
)
# The secret of that name is there already: the provider's error says so, with its name.
DUPLICATE = (
    VARIABLES
    + reading("shared-infra/vault")
    + """
provider "aws" {
  region = data.terraform_remote_state.vault.outputs.plain == "shown" ? "us-east-1" : ""
}

resource "aws_secretsmanager_secret" "this" {
  name = var.password
}
"""
)
REFUSED = """
variable "password" {
  type      = string
  sensitive = true

  validation {
    condition     = can(regex("^[A-Z]", var.password))
    error_message = "The password must begin with a capital letter."
  }
}
"""
URL = """
variable "repository" {
  type = string

  validation {
    condition     = !can(regex("@", var.repository))
    error_message = "The repository must not hold a password."
  }
}
"""
# Says what is in its environment, the user's credentials among it.
TALKATIVE = """
variable "token" {
  type      = string
  sensitive = true
}

resource "terraform_data" "this" {
  provisioner "local-exec" {
    command = "env"
  }
}
"""


@dataclass(frozen=True)
class Aftermath:
    """What commands printed, and where their files are."""

    checkout: Checkout
    printed: str
    presigned: str

    def files(self) -> Iterator[Path]:
        """Every file but those that hold values by their nature.

        Those are Terraform's own states and plans, and what the user has written.
        """
        for directory, _, names in os.walk(self.checkout.root):
            for path in (Path(directory, name) for name in names):
                holds = path.name.endswith((".tfvars", ".tfstate", ".tfstate.backup", ".tfplan"))
                if path.is_file() and not path.is_symlink() and not holds:
                    yield path


@pytest.fixture(scope="module")
def aftermath(
    tmp_path_factory: pytest.TempPathFactory,
    kept_terraform: Terraform,
    local_cloud: Running,
    client: Callable[..., Any],
) -> Aftermath:
    root = copy_repository(tmp_path_factory.mktemp("secrets") / "repository")
    env = {
        **user_env(kept_terraform),
        **kept_env(kept_terraform),
        "AWS_SECRET_ACCESS_KEY": ACCESS_KEY,
        "AWS_SESSION_TOKEN": SESSION_TOKEN,
        "TF_VAR_token": IN_ENVIRONMENT,
    }
    checkout = Checkout(root, env)
    empty_stacks(root)
    shutil.rmtree(root / "tests")  # this file is there
    vault = write_stack(root, "shared-infra/vault", VAULT)
    duplicate = write_stack(root, "notebooks/duplicate", DUPLICATE)
    values = f'password = "{IN_FILE}"\nkeys     = [{_hcl(IN_A_LIST)}]\n'
    for stack in (vault, duplicate):
        (stack / "terraform.tfvars").write_text(values)
    broken = write_stack(root, "notebooks/broken", VARIABLES)
    (broken / "terraform.tfvars").write_text(f'password = "{IN_A_BROKEN_FILE}\n')
    refused = write_stack(root, "notebooks/refused", REFUSED)
    (refused / "terraform.tfvars").write_text(f'password = "{IN_A_REFUSED_VALUE}"\n')
    url = write_stack(root, "notebooks/url", URL)
    (url / "terraform.tfvars").write_text(f'repository = "https://me:{IN_AN_URL}@example.com"\n')
    write_stack(root, "notebooks/talkative", TALKATIVE)
    (root / "common.auto.tfvars").write_text('project = "p"\nregion = "us-east-1"\n')
    attach(checkout, local_cloud)
    printed = "".join((*_runs(checkout), _run_with_credentials(checkout, local_cloud)))
    return Aftermath(checkout, printed, _presigned(client))


def _hcl(text: str) -> str:
    escaped = text.replace('"', '\\"')
    return f'"{escaped}"'


def _runs(checkout: Checkout) -> Iterator[str]:
    """What each command printed, having done what it is here for."""
    deployed = checkout.tools("deploy", "--local", "--why", "--report", "report.json")
    assert deployed.returncode == 1
    assert re.search(r"shared-infra/vault +applied", deployed.stderr), deployed.stderr
    for stack, reason in {
        "duplicate": "exists already",
        "broken": "terraform.tfvars, line 1",
        "refused": "must begin with a capital letter",
        "url": "must not hold a password",
    }.items():
        assert re.search(rf"notebooks/{stack} +failed", deployed.stderr), deployed.stderr
        assert reason in " ".join(deployed.stderr.split()), deployed.stderr
    yield deployed.stdout + deployed.stderr
    vault = checkout.root / "shared-infra/vault/main.tf"
    vault.write_text(vault.read_text().replace("days = 0", "days = 7"))
    for arguments in (
        ["plan", "vault", "--local", "--details", "--plan-dir", "plans", "--report", "report.md"],
        ["drift", "vault", "--local", "--report", "report.xml"],
        ["list", "--local", "--json"],
        ["destroy", "--local"],
        ["local", "env"],
    ):
        done = checkout.tools(*arguments)
        assert "Traceback" not in done.stderr, done.stderr
        yield done.stdout + done.stderr


def _run_with_credentials(checkout: Checkout, local_cloud: Running) -> str:
    """What a run on AWS prints, with the user's credentials; only STS is the emulator's."""
    env = {"AWS_ENDPOINT_URL_STS": local_cloud.endpoint, "AWS_ACCESS_KEY_ID": "123456789012"}
    done = checkout.tools("deploy", "notebooks/talkative", "--yes", **env)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def _presigned(client: Callable[..., Any]) -> str:
    """The secret part of a presigned URL of a notebook in the local cloud."""
    sagemaker, name = client("sagemaker"), "secrets-notebook"
    role = client("iam").create_role(
        RoleName=name,
        AssumeRolePolicyDocument='{"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", '
        '"Principal": {"Service": "sagemaker.amazonaws.com"}}]}',
    )
    sagemaker.create_notebook_instance(
        NotebookInstanceName=name, InstanceType="ml.t3.medium", RoleArn=role["Role"]["Arn"]
    )
    sagemaker.get_waiter("notebook_instance_in_service").wait(
        NotebookInstanceName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 600}
    )
    url = sagemaker.create_presigned_notebook_instance_url(NotebookInstanceName=name)
    return str(url["AuthorizedUrl"].partition("authToken=")[2])


SECRETS = {
    "in a file": IN_FILE,
    "in the environment": IN_ENVIRONMENT,
    "in a list": IN_A_LIST,
    "in a broken file": IN_A_BROKEN_FILE,
    "in a value that is refused": IN_A_REFUSED_VALUE,
    "in an URL": IN_AN_URL,
    "secret access key": ACCESS_KEY,
    "session token": SESSION_TOKEN,
}


def forms(secret: str) -> set[bytes]:
    """The secret as one would find it: as it is, in JSON and HCL, in an URL, in base64."""
    quoted = secret.replace("\\", "\\\\").replace('"', '\\"')
    in_go = quoted.replace("<", "\\u003c").replace(">", "\\u003e")
    plain = {secret, quoted, in_go, quote(secret, safe="")}
    return {form.encode() for form in plain} | {base64.b64encode(secret.encode())}


@pytest.mark.parametrize("where", SECRETS)
def test_a_secret_is_in_nothing_that_a_run_prints_or_writes(
    aftermath: Aftermath, where: str
) -> None:
    lines = aftermath.printed.encode().splitlines()
    printed = [line for line in lines if any(form in line for form in forms(SECRETS[where]))]
    assert not printed
    holding = [
        str(path.relative_to(aftermath.checkout.root))
        for path in aftermath.files()
        if any(form in path.read_bytes() for form in forms(SECRETS[where]))
    ]
    assert not holding


def test_what_was_hidden_was_there(aftermath: Aftermath, terraform: Terraform) -> None:
    """So that the search looks where secrets would be."""
    logs = [path for path in aftermath.files() if "logs" in path.parts]
    # OpenTofu reads the values in init already, and refuses those that it cannot read there.
    refused_in = {"broken": "init"} if terraform.product == "OpenTofu" else {}
    assert {path.name for path in logs} >= {
        f"{stack}.{refused_in.get(stack.partition('.')[2], 'apply')}.log"
        for stack in (
            "shared-infra.vault",
            "notebooks.broken",
            "notebooks.duplicate",
            "notebooks.refused",
            "notebooks.url",
        )
    }
    for name in ("vault", "broken", "duplicate", "refused", "url"):
        if name == "refused" and terraform.product == "OpenTofu":
            continue  # it shows no value of a variable that it refuses
        step = refused_in.get(name, "apply")
        [log] = (path for path in logs if path.name.endswith(f".{name}.{step}.log"))
        assert "(sensitive value)" in log.read_text(), name
    [log] = aftermath.checkout.root.glob(".tools/logs/*/notebooks.talkative.apply.log")
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        assert f"{name}=(sensitive value)" in log.read_text()
    states = aftermath.checkout.root.glob(".tools/local/workspace/*/vault/terraform.tfstate*")
    assert any(IN_ENVIRONMENT in state.read_text() for state in states)
    written = {path.name for path in aftermath.files()}
    assert written >= {"report.json", "report.md", "report.xml", "plans.json"}
    assert any(name.endswith(".record.json") for name in written)


def test_saved_plans_are_for_their_owner_alone(aftermath: Aftermath) -> None:
    """Terraform keeps every value in them, in clear text."""
    folder = aftermath.checkout.root / "plans"
    assert list(folder.glob("*.tfplan"))
    assert folder.stat().st_mode & 0o077 == 0


def test_a_presigned_url_is_in_no_log(aftermath: Aftermath, local_cloud: Running) -> None:
    log = Path(psutil.Process(local_cloud.pid).cwd()).parent / "localstack.log"
    text = log.read_text(errors="replace")
    assert "CreatePresignedNotebookInstanceUrl" in text
    assert len(aftermath.presigned) > 32
    assert aftermath.presigned not in text
    for secret in SECRETS.values():
        assert not any(form.decode() in text for form in forms(secret))
