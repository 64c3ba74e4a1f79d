"""Copies of the repository, since no test may touch the tree it runs from."""

import shutil
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]


def copy_repository(target: Path) -> Path:
    """What git tracks or would track here, in `target`; symbolic links as they are."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        source = REPOSITORY / name
        if source.is_symlink() or source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target / name, follow_symlinks=False)
    return target


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
