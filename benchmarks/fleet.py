"""Copies of the repository with many notebooks."""

import csv
import shutil
from pathlib import Path

from benchmarks.measure import ROOT, TOOLS, process


def repository(directory: Path) -> Path:
    """The repository's Terraform and templates in `directory`, without its notebooks."""
    for folder in ("shared-infra", "modules", "templates"):
        ignored = shutil.ignore_patterns(".terraform*", "*.tfstate*", "terraform.tfvars")
        shutil.copytree(ROOT / folder, directory / folder, symlinks=True, ignore=ignored)
    (directory / "notebooks").mkdir()
    return directory


def roster(file: Path, count: int) -> Path:
    """A file for `tools new-notebook --from-file` with `count` notebooks, no two alike."""
    with file.open("w", newline="") as handle:
        rows = csv.writer(handle)
        rows.writerow(["name", "profile", "owner", "purpose", "tags"])
        for number in range(count):
            profile = ("dev", "staging", "prod")[number % 3]
            row = [name(number), profile, f"team-{number % 20}", f"Work {number}", f"Team={number}"]
            rows.writerow(row)
    return file


def name(number: int) -> str:
    return f"notebook-{number:05}"


def with_notebooks(directory: Path, count: int) -> Path:
    """A copy of the repository in `directory` with `count` notebooks, as `tools` makes them."""
    repository(directory)
    process(
        [TOOLS, "new-notebook", "--from-file", roster(directory / "roster.csv", count)], directory
    )
    return directory
