"""Copies of the repository, since no test may touch the tree it runs from."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]

# What Terraform and `tools new-notebook` read.
LAYOUT = ("bootstrap", "common.auto.tfvars", "modules", "notebooks", "shared-infra", "templates")


@cache
def tracked(*folders: str) -> tuple[str, ...]:
    """The files that git tracks or would track, by their path in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *folders],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    paths = ((name, REPOSITORY / name) for name in filter(None, listed.split("\0")))
    return tuple(name for name, path in paths if path.is_symlink() or path.is_file())


def copy_repository(target: Path, *folders: str) -> Path:
    """What git tracks or would track here, in `target`; symbolic links as they are.

    Only what is in `folders`, if any are given.
    """
    for folder in sorted({str(Path(name).parent) for name in tracked(*folders)}):
        (target / folder).mkdir(parents=True, exist_ok=True)
    for name in tracked(*folders):
        content, mode = _read_once(name)
        if isinstance(content, Path):
            (target / name).symlink_to(content)
            continue
        file = os.open(target / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        os.write(file, content)
        os.close(file)
    return target


@cache
def _read_once(name: str) -> tuple[bytes | Path, int]:
    """What a file of the repository has, or where a link leads, and its mode.

    Hundreds of tests begin with a copy, and reading takes more than half of its time.
    """
    path = REPOSITORY / name
    content = path.readlink() if path.is_symlink() else path.read_bytes()
    return content, path.lstat().st_mode


def leave_out_lifecycles(root: Path) -> None:
    """Takes the buckets' lifecycle rules from shared-infra/s3 in `root`, where no test is of them.

    For each set of rules the provider waits 55 s for ten answers that are alike (hashicorp/aws
    5.100.0, internal/service/s3/bucket_lifecycle_configuration.go). No other resource reads them.
    """
    (root / "shared-infra/s3/lifecycle.tf").unlink()


def empty_stacks(root: Path) -> None:
    """Removes every stack in `root`, for tests that write the few that they are about."""
    for folder in ("shared-infra", "notebooks"):
        shutil.rmtree(root / folder)
        (root / folder).mkdir()


def write_stack(root: Path, name: str, text: str) -> Path:
    """A stack of one file, for tests that need a small one."""
    directory = root / name
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "main.tf").write_text(text)
    return directory


def reading(*stacks: str) -> str:
    """`terraform_remote_state` blocks that read the local states of `stacks`."""
    return "\n".join(
        f'data "terraform_remote_state" "{stack.split("/")[1].replace("-", "_")}" {{\n'
        f'  backend = "local"\n'
        f'  config  = {{ path = "${{path.module}}/../../{stack}/terraform.tfstate" }}\n}}\n'
        for stack in stacks
    )
