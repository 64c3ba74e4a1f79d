"""These tests cannot start what `make check` does without (conftest.py)."""

import os
import subprocess
from pathlib import Path

import pytest

from tools.errors import UserError
from tools.localcloud.process import LocalCloud
from tools.terraform.binary import Terraform


@pytest.mark.parametrize("program", ["terraform", "tofu"])
def test_terraform_does_not_start(program: str) -> None:
    done = subprocess.run([program, "version"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "put the test into another folder" in done.stderr


def test_nor_does_the_one_that_tools_finds(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not tell its version as Terraform does"):
        Terraform.find(os.environ, tmp_path)


def test_localstack_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="tests/unit starts no LocalStack"):
        LocalCloud(tmp_path).up(1)
