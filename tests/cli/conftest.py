"""The `tools` command as a user runs it: a process, in a copy of the repository."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import warm
from tests.children import interruptible
from tests.keeper import attached_providers, kept_env
from tests.trees import copy_repository, empty_stacks
from tests.warm import TOOLS
from tools.localcloud.process import LocalCloud, Running
from tools.system.processes import write_note
from tools.terraform.binary import Terraform
from tools.terraform.installation import find_binary

__all__ = ["TOOLS"]


@dataclass(frozen=True)
class Checkout:
    """A copy of the repository and the environment of its user."""

    root: Path
    env: dict[str, str]

    def tools(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Runs `tools` to its end, in a process that has its imports already."""
        return warm.run(arguments, self.root, {**self.env, **env})

    def run(self, *command: str, cwd: str = ".", **env: str) -> subprocess.CompletedProcess[str]:
        """Runs `command` to its end, with nobody there to answer a question."""
        return subprocess.run(
            command,
            cwd=self.root / cwd,
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def program(self) -> str:
        """The terraform or tofu that `tools` runs, for what a person does beside it."""
        return str(find_binary(self.env))

    def start(self, *arguments: str, main: str = "") -> "subprocess.Popen[str]":
        """`main` is a module to run in place of `tools`."""
        with interruptible():
            return subprocess.Popen(
                [*([sys.executable, "-m", main] if main else [TOOLS]), *arguments],
                cwd=self.root,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )

    def notebooks(self) -> list[str]:
        return sorted(path.name for path in (self.root / "notebooks").iterdir())


def user_env(terraform: Terraform) -> dict[str, str]:
    """An environment without credentials, and with the provider at hand."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "TF_VAR_")) and name != "TF_CLI_CONFIG_FILE"
    }
    config = terraform.env.get("TF_CLI_CONFIG_FILE")
    return {
        **kept,
        **({"TF_CLI_CONFIG_FILE": config} if config else {}),
        **attached_providers(terraform),
        "USER": "tester",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@pytest.fixture
def checkout(tmp_path: Path, terraform: Terraform) -> Checkout:
    return Checkout(copy_repository(tmp_path / "repository"), user_env(terraform))


@pytest.fixture
def attached(checkout: Checkout, local_cloud: Running) -> Checkout:
    """A checkout whose local cloud is the one of the test session."""
    attach(checkout, local_cloud)
    return checkout


def attach(checkout: Checkout, running: Running) -> None:
    """Notes the session's emulator as the checkout's own: one LocalStack serves every test."""
    pid_file = checkout.root / ".tools" / "local" / "localstack.json"
    write_note(running.pid, pid_file, port=running.port)
    assert LocalCloud(pid_file.parent).status() == running


@pytest.fixture
def kept_provider(attached: Checkout, kept_terraform: Terraform) -> None:
    """Has the `tools` of `attached` and `small` use providers that keep running.

    `pytest.mark.usefixtures("kept_provider")`; `tests.keeper` says what it is not for.
    """
    attached.env.update(kept_env(kept_terraform))


@pytest.fixture
def small(attached: Checkout) -> Checkout:
    """A checkout without stacks of its own: each test writes the few that it is about."""
    empty_stacks(attached.root)
    return attached
