"""docs/supported.md, "Python": the demo, installed and run by each version that is supported.

Where a machine lacks a version its test is skipped: .github/workflows/nightly.yml has them all.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import user_env
from tests.trees import copy_repository
from tools.terraform.binary import Terraform
from tools.terraform.installation import BINARY_VARIABLE

pytestmark = pytest.mark.nightly  # each installs 640 MB

OWN = f"3.{sys.version_info.minor}"  # which tests/journey runs the demo by
OTHERS = [version for version in ("3.11", "3.12", "3.13") if version != OWN]


def interpreters(version: str) -> Iterator[Path]:
    """Where an interpreter of the version may be: on PATH, or made by pyenv."""
    if found := shutil.which(f"python{version}"):
        yield Path(found)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(pyenv.glob(f"versions/{version}.*/bin/python3"))


def works(interpreter: Path, version: str) -> bool:
    """pyenv's shims are on PATH for versions that are not chosen, too, and end with an error."""
    done = subprocess.run([interpreter, "--version"], capture_output=True, text=True)
    return done.stdout.startswith(f"Python {version}.")


@pytest.mark.parametrize("version", OTHERS)
def test_the_demo_with_another_python(version: str, tmp_path: Path, terraform: Terraform) -> None:
    found = next((path for path in interpreters(version) if works(path, version)), None)
    if found is None:
        pytest.skip(f"there is no Python {version} here")
    root = copy_repository(tmp_path / "clone")
    env = {**user_env(terraform), BINARY_VARIABLE: str(terraform.binary)}
    try:
        done = subprocess.run(
            ["make", f"PYTHON={found}", "demo"], cwd=root, env=env, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr[-5000:]
        assert done.stdout.count("InService") == 3, done.stdout
        python = [root / ".venv/bin/python", "--version"]
        used = subprocess.run(python, capture_output=True, text=True, check=True)
        assert used.stdout.startswith(f"Python {version}.")
    finally:
        if (root / ".venv/bin/tools").exists():
            subprocess.run([root / ".venv/bin/tools", "local", "down"], cwd=root, env=env)
