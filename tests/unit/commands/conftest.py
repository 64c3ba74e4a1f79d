"""The `tools` command in this process, for what starts no other: a start takes half a second."""

import io
import os
import pty
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import TextIO
from unittest.mock import patch

import pytest

from tests.trees import copy_repository
from tools import cli
from tools.aws.client import shared_client
from tools.hcl import cache
from tools.system import processes

COPIED = (
    "shared-infra",
    "modules",
    "notebooks",
    "templates",
    "bootstrap",
    "README.md",
    "common.auto.tfvars",
    # Each file costs hundreds of tests time. These are read by few, which copy them.
    ":!modules/sagemaker-notebook/examples",
    ":!modules/deployer-policies",
    ":!templates/earlier",
    ":!bootstrap/ci",
)


@dataclass(frozen=True)
class Checkout:
    """A copy of the repository's Terraform and templates, and the environment of its user."""

    root: Path
    env: dict[str, str]

    def tools(
        self, *arguments: str, cwd: str = ".", answers: str | None = None, **env: str
    ) -> "CompletedProcess[str]":
        """Calls `tools`. What it raises is a bug of it.

        `answers` are typed at a terminal, a line each; without them nobody is there to answer.
        """
        shared_client.cache_clear()  # as a process of its own has none yet
        cache._used.clear()  # else each checkout keeps what all tests before have parsed
        with ExitStack() as stack:
            out, err = (
                io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2)
            )
            stack.enter_context(redirect_stdout(out))
            stack.enter_context(redirect_stderr(err))
            stack.enter_context(chdir(self.root / cwd))
            stack.enter_context(patch.dict(os.environ, {**self.env, **env}, clear=True))
            stack.enter_context(patch.object(sys, "argv", ["tools", *arguments]))
            stdin = stack.enter_context(_nobody() if answers is None else _typed(answers))
            stack.enter_context(patch.object(sys, "stdin", stdin))
            stack.callback(signal.signal, signal.SIGTERM, signal.getsignal(signal.SIGTERM))
            code = _exit_code()
        said = (stream.buffer.getvalue().decode() for stream in (out, err))  # type: ignore[attr-defined]
        return CompletedProcess(["tools", *arguments], code, *said)

    def notebooks(self) -> list[str]:
        return sorted(path.name for path in (self.root / "notebooks").iterdir())


@contextmanager
def _nobody() -> Iterator[TextIO]:
    with Path(os.devnull).open() as stdin:
        yield stdin


@contextmanager
def _typed(answers: str) -> Iterator[TextIO]:
    """A terminal at which somebody types `answers` and then ends the input."""
    person, terminal = pty.openpty()
    os.write(person, answers.encode() + b"\x04")  # Ctrl-D: no question waits for more
    with open(terminal) as stdin:  # noqa: PTH123
        yield stdin
    os.close(person)


def _exit_code() -> int:
    try:
        cli.main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "USER": "tester",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    root = copy_repository(tmp_path / "repository", *COPIED)
    return Checkout(root, env)


@pytest.fixture
def deployable(checkout: Checkout) -> Checkout:
    """A checkout with a project, and a terraform that tells its version and nothing else."""
    (checkout.root / "common.auto.tfvars").write_text('project = "p"\nregion = "us-east-1"\n')
    program = checkout.root.parent / "terraform"
    answer = '{"terraform_version": "1.11.4", "platform": "linux_amd64"}'
    program.write_text(f"#!/bin/sh\necho '{answer}'\n")
    program.chmod(0o755)
    checkout.env["TOOLS_TERRAFORM"] = str(program)
    return checkout


@pytest.fixture
def identified(deployable: Checkout, moto: str) -> Checkout:
    """The same with credentials, whose account is moto's 123456789012."""
    deployable.env.update(
        AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_ENDPOINT_URL_STS=moto
    )
    return deployable


@pytest.fixture
def attached(deployable: Checkout, moto: str) -> Checkout:
    """The same with a local cloud that runs: moto in place of LocalStack, in this process."""
    deployable.env["TF_CLI_ARGS_init"] = "-plugin-dir=/nowhere"  # so that nothing is downloaded
    note = deployable.root / ".tools/local/localstack.json"
    processes.write_note(os.getpid(), note, port=int(moto.rpartition(":")[2]))
    return deployable
