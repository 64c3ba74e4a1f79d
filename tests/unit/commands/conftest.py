"""The `tools` command in this process, for what starts no other: a start takes half a second."""

import io
import os
import signal
import sys
from contextlib import ExitStack, chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from unittest.mock import patch

import pytest

from tests.trees import copy_repository
from tools import cli
from tools.aws.client import shared_client
from tools.hcl import cache

COPIED = (
    "shared-infra",
    "modules",
    "notebooks",
    "templates",
    "bootstrap",
    "README.md",
    "common.auto.tfvars",
)


@dataclass(frozen=True)
class Checkout:
    """A copy of the repository's Terraform and templates, and the environment of its user."""

    root: Path
    env: dict[str, str]

    def tools(self, *arguments: str, cwd: str = ".", **env: str) -> "CompletedProcess[str]":
        """Calls `tools` with nobody there to answer a question. What it raises is a bug of it."""
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
            stack.enter_context(patch.object(sys, "stdin", stack.enter_context(open(os.devnull))))  # noqa: PTH123
            stack.callback(signal.signal, signal.SIGTERM, signal.getsignal(signal.SIGTERM))
            code = _exit_code()
        said = (stream.buffer.getvalue().decode() for stream in (out, err))  # type: ignore[attr-defined]
        return CompletedProcess(["tools", *arguments], code, *said)

    def notebooks(self) -> list[str]:
        return sorted(path.name for path in (self.root / "notebooks").iterdir())


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
