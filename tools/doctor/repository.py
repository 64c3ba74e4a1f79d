"""Checks of the repository: settings, lock files, git."""

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from tools.aws import model
from tools.doctor.check import Check
from tools.errors import first_of
from tools.hcl.scanning import LOCK_FILE, locked_versions
from tools.layout.repository import Repository
from tools.layout.stack import Stack
from tools.system import git
from tools.terraform.providers import known_bad

_GIT_SECONDS = 4
_SHOWN = 3  # names in a line


def check_settings(repository: Repository) -> Check:
    """The project is set."""
    return Check("settings", "ok", f"project {repository.common()['project']}")


def check_region(repository: Repository, of_aws: tuple[str, str] | None) -> Check:
    """The region is set, has SageMaker, and is that of AWS's settings.

    `of_aws` is the region that they name and the setting, if they name one.
    """
    region = str(repository.common()["region"])
    model.check_region(region)
    if of_aws and of_aws[0] != region:
        return Check(
            "region",
            "warning",
            f"{region} here, but {of_aws[0]} by {of_aws[1]}, where aws and boto3 go by themselves",
            f"export AWS_REGION={region} AWS_DEFAULT_REGION={region}",
        )
    return Check("region", "ok", f"{region} has SageMaker")


def check_locks(stacks: Sequence[Stack]) -> Check:
    """Each stack's lock file: there, for every platform, and of a good provider."""
    name, mend = "lock files", "tools lock"
    texts = {
        stack: (stack.path / LOCK_FILE).read_text()
        for stack in stacks
        if (stack.path / LOCK_FILE).is_file()
    }
    for stack in texts:
        for address, version in locked_versions(stack.path).items():
            if problem := known_bad(address, version):
                return Check(name, "warning", problem, "tools lock --upgrade")
    missing = [stack.name for stack in stacks if stack not in texts]
    if missing:
        detail = f"without one: {first_of(missing, _SHOWN)}; each init may take another provider"
        return Check(name, "warning", detail, mend)
    # The registry's hashes (zh:) are of every platform, a mirror's (h1:) of one each.
    narrow = [s.name for s, text in texts.items() if "zh:" not in text and text.count("h1:") < 2]
    if narrow:
        detail = (
            f"of one platform alone: {first_of(narrow, _SHOWN)}; terraform init fails on any other"
        )
        return Check(name, "warning", detail, mend)
    return Check(name, "ok", f"{len(texts)} stacks have one for several platforms")


def check_git(root: Path, stacks: Sequence[Stack]) -> list[Check]:
    """Whether git has everything but the states."""
    why = git.complaint(root, "rev-parse", "--show-toplevel", seconds=_GIT_SECONDS)
    if "not a git repository" in why:
        return [Check("git", "warning", f"{root} is in no git repository", "git init && git add .")]
    if why:  # such as a checkout of another user
        return [Check("git", "unknown", why)]
    return [_check_changes(root), _check_states(root, stacks)]


def _why_not(root: Path, command: str) -> str:
    """Returns what git says of a `command` that gave no answer."""
    return git.complaint(root, command, seconds=_GIT_SECONDS) or f"git {command} fails"


def _check_changes(root: Path) -> Check:
    names = git.changed_paths(root, "--", ".", seconds=_GIT_SECONDS)
    if names is None:
        return Check("git", "unknown", _why_not(root, "status"))
    if names:
        return Check(
            "git", "warning", f"not committed: {first_of(names, _SHOWN)}", "git add, git commit"
        )
    return Check("git", "ok", "everything is committed")


def _check_states(root: Path, stacks: Sequence[Stack]) -> Check:
    name = "states in git"
    patterns = ("*.tfstate", "*.tfstate.*")
    tracked = git.ask(root, "ls-files", "-z", "--", *patterns, seconds=_GIT_SECONDS)
    if tracked is None:
        return Check(name, "unknown", _why_not(root, "ls-files"))
    if names := os.fsdecode(tracked).split("\0")[:-1]:
        shown = first_of(names, _SHOWN)
        detail = f"git has {shown}; states hold account data, and secrets if there are any"
        return Check(name, "error", detail, f"git rm --cached {shlex.join(names[:_SHOWN])}")
    paths = [f"{stack.name}/terraform.tfstate" for stack in stacks]
    # Otherwise each letter that is not ASCII is an escape: `git help config`, core.quotePath.
    plain = ("-c", "core.quotePath=false")
    ignored = git.ask(root, *plain, "check-ignore", "--", *paths, seconds=_GIT_SECONDS)
    covered = os.fsdecode(ignored or b"").split("\n")
    if open_ones := [path for path in paths if path not in covered]:
        detail = f"not ignored: {first_of(open_ones, _SHOWN)}"
        return Check(name, "warning", detail, "add *.tfstate and *.tfstate.* to .gitignore")
    return Check(name, "ok", "every state is ignored")
