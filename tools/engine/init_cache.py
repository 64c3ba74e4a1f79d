"""Remembers what the last init of a stack read, so that one which would do nothing is skipped.

An init hashes the whole provider, which takes about 4 seconds.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tools.errors import UserError
from tools.hcl import reading
from tools.hcl.scanning import LOCK_FILE, locked_versions
from tools.layout.contents import SAVED_BACKEND
from tools.terraform.binary import Terraform

_NOTE = ".terraform/initialized.json"


def is_current(directory: Path, files: Sequence[Path], terraform: Terraform) -> bool:
    """Whether the last init of `directory`, as noted, read what the next one would.

    `files` are the .tf files of the stack and of its modules.
    """
    try:
        noted = (directory / _NOTE).read_text()
        is_same = noted == _digest(directory, files, terraform)
    except (OSError, UserError):  # Terraform says better what is wrong with a file
        return False
    return is_same and _has_providers(directory, terraform)


def note(directory: Path, files: Sequence[Path], terraform: Terraform) -> None:
    """Notes a successful init. If that cannot be written, the next init is not skipped."""
    path = directory / _NOTE
    with suppress(OSError, UserError):
        path.parent.mkdir(exist_ok=True)  # a root without providers and modules has none
        path.write_text(_digest(directory, files, terraform))


def forget(directory: Path) -> None:
    """Forgets the last init of `directory`, so that the next one is not skipped."""
    (directory / _NOTE).unlink(missing_ok=True)


def drop_half_written(directory: Path) -> None:
    """Removes Terraform's note of the backend if a kill has cut it short: no init gets past it.

    It is a copy of what the stack's files say of the backend, and holds no resources:
    https://developer.hashicorp.com/terraform/language/backend#initialize-the-backend
    """
    path = directory / SAVED_BACKEND
    if path.is_file():
        try:
            json.loads(path.read_text())
        except ValueError:
            path.unlink()


def _digest(directory: Path, files: Sequence[Path], terraform: Terraform) -> str:
    lock = directory / LOCK_FILE
    reads = [[os.path.relpath(file, directory), reading.read_init_inputs(file)] for file in files]
    options = {n: v for n, v in terraform.env.items() if n.startswith("TF_CLI_ARGS")}
    inputs = [
        terraform.product,
        terraform.version,
        options,
        lock.read_text() if lock.is_file() else None,
        reads,
    ]
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


def _has_providers(directory: Path, terraform: Terraform) -> bool:
    """Whether every provider that the last init linked is still where it was."""
    folder = directory / ".terraform" / "providers"
    locked = locked_versions(directory)
    return all((folder / name / locked[name] / terraform.platform).exists() for name in locked)
