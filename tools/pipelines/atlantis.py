"""atlantis.yaml: a project for each stack, in the order of the graph.

https://www.runatlantis.io/docs/repo-level-atlantis-yaml
"""

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote_plus

import yaml

from tools.context import Context
from tools.engine.fingerprint import InputsReader
from tools.errors import UserError
from tools.layout.repository import Repository
from tools.layout.stack import Stack
from tools.layout.waves import split_into_waves
from tools.pipelines import files
from tools.pipelines.files import Written

FILE = "atlantis.yaml"
_TERRAFORM = ("*.tf", "*.tf.json")
_NOT_IN_GIT = (".terraform/",)
# What people read, and Terraform does not unless an expression names it.
_DOCUMENTS = ("*.md", "*.example", "LICENSE*")


def write(context: Context, check: bool, force: bool) -> Written:
    """Writes atlantis.yaml; with `check` only compares it. Raises UserError as `files.compare`."""
    root = context.repository.root
    path = root / FILE
    reader = InputsReader(context.repository, context.terraform())
    made = {path: files.with_head("atlantis", render(context.repository, reader))}
    texts = {path: files.read(path)}
    following = "next: tools ci atlantis --check in your checks: it changes with the stacks"
    return files.compare(root, texts, made, check, force, "tools ci atlantis", following)


def render(repository: Repository, reader: InputsReader) -> str:
    """Returns the text of atlantis.yaml. Raises UserError for a stack whose name it cannot have."""
    projects = []
    for number, wave in enumerate(split_into_waves(repository.stacks()), 1):
        for stack in sorted(wave, key=lambda stack: stack.name):
            projects.append(_project(repository, reader, stack, number))
    document = {
        "version": 3,
        "parallel_plan": True,
        "parallel_apply": True,
        "abort_on_execution_order_fail": True,
        "projects": projects,
    }
    text: str = yaml.safe_dump(document, sort_keys=False, width=100)
    return text


def _project(
    repository: Repository, reader: InputsReader, stack: Stack, wave: int
) -> dict[str, Any]:
    # As Atlantis checks it (validProjectName):
    # https://github.com/runatlantis/atlantis/blob/main/server/core/config/raw/project.go
    if quote_plus(stack.name.replace("/", "-")) != stack.name.replace("/", "-"):
        raise UserError(
            f"Atlantis takes no project with the name {stack.name!r}: rename the directory to "
            "letters, digits and hyphens"
        )
    project: dict[str, Any] = {"name": stack.name, "dir": stack.name}
    if stack.upstream:
        project["depends_on"] = list(stack.upstream)
    project["execution_order_group"] = wave
    named = reader.named_files(stack)
    names = [
        name
        for name in reader.read(stack, {}).files
        if name in named or not any(PurePosixPath(name).match(p) for p in _DOCUMENTS)
    ]
    patterns = when_modified(repository.root, stack, names)
    project["autoplan"] = {"enabled": True, "when_modified": patterns}
    return project


def when_modified(root: Path, stack: Stack, names: Sequence[str]) -> list[str]:
    """Returns patterns for what `stack` reads, relative to its directory.

    A file that is new in a directory of Terraform counts too. `names` are the files that it reads
    now, by their path in the repository `root`. What lies outside of that is left out: no pull
    request can change it.
    """
    patterns = {*_TERRAFORM, "*.tfvars", ".terraform.lock.hcl"}
    for name in names:
        real_path = os.path.realpath(root / name)  # git names what a link leads to
        relative = os.path.relpath(real_path, root)
        if (
            not Path(real_path).is_file()
            or relative.startswith("..")
            or any(part in f"{relative}/" for part in _NOT_IN_GIT)
        ):
            continue
        inside = os.path.relpath(real_path, stack.path)
        folder, _, last = inside.rpartition("/")
        if last.endswith((".tf", ".tf.json")):
            patterns.update(f"{folder}/{pattern}" if folder else pattern for pattern in _TERRAFORM)
        elif folder or not any(PurePosixPath(inside).match(pattern) for pattern in patterns):
            patterns.add(inside)
    return sorted(patterns)
