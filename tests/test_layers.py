"""The contracts in pyproject.toml: an import that the house does not allow fails `make lint`."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.trees import REPOSITORY

FORBIDDEN = [
    ("layout/stack.py", "from tools.state import place", "Imports run downwards"),
    ("runs/listing.py", "from tools.commands import list", "Imports run downwards"),
    ("hcl/writing.py", "from tools.aws import client", "Imports run downwards"),
    ("engine/retry.py", "from tools.engine import scheduler", "No circle within a room"),
    ("context.py", "from tools.emulator import pages", "Nothing imports emulator/"),
    ("emulator/pages.py", "from tools.errors import UserError", "Imports run downwards"),
    ("scaffold/notebook.py", "import botocore.session", "Only aws/ uses botocore"),
    ("emulator/pages.py", "import boto3", "Only aws/ uses boto3"),
    ("engine/preparation.py", "import psutil", "Only system/ uses psutil"),
    ("engine/init.py", "import subprocess", "start processes"),
    ("localcloud/process.py", "import localstack.config", "Only emulator/ uses LocalStack"),
]


def lint(root: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def house(tmp_path: Path) -> Path:
    shutil.copytree(
        REPOSITORY / "tools", tmp_path / "tools", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.mark.parametrize(("file", "statement", "contract"), FORBIDDEN)
def test_a_forbidden_import_fails_its_contract(
    house: Path, file: str, statement: str, contract: str
) -> None:
    module = house / "tools" / file
    module.write_text(f"{module.read_text()}\n{statement}\n")

    done = lint(house)

    assert done.returncode == 1, done.stdout + done.stderr
    broken = [line for line in done.stdout.splitlines() if line.endswith(" BROKEN")]
    assert any(contract in line for line in broken), done.stdout


def test_a_new_room_needs_its_place_in_the_contract(house: Path) -> None:
    (house / "tools" / "attic.py").write_text("")

    done = lint(house)

    assert done.returncode == 1
    assert "attic" in done.stdout


def test_every_room_is_a_package() -> None:
    """import-linter sees no module in a folder without __init__.py."""
    folders = {module.parent for module in (REPOSITORY / "tools").rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []


@pytest.mark.parametrize(
    "statement",
    [
        "asyncio.run",
        'importlib.import_module("boto3")',
        'os.system("true")',
        'os.posix_spawn("true", [], {})',
        'os.spawnlp(os.P_WAIT, "true", "true")',
        "os.fork()",
        'hcl2.loads("")',  # no room reads HCL by it: docs/decisions/0017
    ],
)
def test_a_way_round_the_contracts_or_hcl2_fails_ruff(house: Path, statement: str) -> None:
    module = house / "tools" / "engine" / "retry.py"
    package = statement.partition(".")[0]
    module.write_text(f"{module.read_text()}\nimport {package}\n\n{statement}\n")

    ruff = Path(sys.executable).with_name("ruff")
    command = [ruff, "check", "--no-cache", "--select", "TID251", "tools"]
    done = subprocess.run(command, cwd=house, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "TID251" in done.stdout
