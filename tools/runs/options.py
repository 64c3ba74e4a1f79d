"""What the commands that run stacks are asked."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """The options that such commands share; `jobs` None is one per core."""

    yes: bool = False
    jobs: int | None = None
    fail_fast: bool = False
    refresh: bool = False
    force: bool = False
    allow_destroy: bool = False
    plan_dir: Path | None = None
    why: bool = False
    report: Path | None = None
