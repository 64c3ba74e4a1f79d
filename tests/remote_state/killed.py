"""Runs `tools`, and kills it before the step that its first argument counts.

Nothing is cleaned up.
"""

import functools
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools import SCRATCH, cli
from tools.engine import init_cache
from tools.state import place
from tools.system import files
from tools.terraform.binary import Terraform

STEPS: list[tuple[Any, str]] = [
    (files, "write"),  # also by LocalPlace.write
    (init_cache, "forget"),
    (place.LocalPlace, "delete"),
    (place.LocalPlace, "set_aside"),
    (place.BucketPlace, "create"),
    (place.BucketPlace, "write"),
    (place.BucketPlace, "delete"),
    (Terraform, "init"),
    (Terraform, "pull_state"),
]


def is_note(written: Any) -> bool:
    """Whether this is a file of the run itself, such as a log or a cache: no step of the work."""
    if not isinstance(written, Path):
        return False
    return written.parent.name == SCRATCH or "logs" in written.parts


def main() -> None:
    left = int(sys.argv.pop(1))

    def counted(step: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(step)
        def run(*arguments: Any, **options: Any) -> Any:
            nonlocal left
            left -= not is_note(arguments[0]) if arguments else 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return step(*arguments, **options)

        return run

    for owner, name in STEPS:
        setattr(owner, name, counted(getattr(owner, name)))
    cli.main()
