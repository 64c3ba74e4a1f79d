"""The checks of the repository, on real files and a real git."""

import subprocess
from pathlib import Path

import pytest

from tests.trees import write_stack
from tools.doctor import repository
from tools.doctor.repository import check_git, check_locks
from tools.hcl.scanning import LOCK_FILE
from tools.layout.stack import Stack

# As `terraform init` writes one: the registry's hashes begin with zh, a mirror's with h1.
LOCK = """provider "registry.terraform.io/hashicorp/aws" {{
  version = "{version}"
  hashes = [
    {hashes}
  ]
}}
"""


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repository, "_GIT_SECONDS", 300)  # however busy the machine is


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    for folder in ("shared-infra", "modules", "notebooks"):
        (tmp_path / folder).mkdir()
    write_stack(tmp_path, "shared-infra/s3", "")
    return Stack(tmp_path, "shared-infra/s3")


def lock(stack: Stack, version: str, *hashes: str) -> None:
    quoted = "\n    ".join(f'"{hash}",' for hash in hashes)
    (stack.path / LOCK_FILE).write_text(LOCK.format(version=version, hashes=quoted))


def test_a_stack_without_a_lock_file(stack: Stack) -> None:
    check = check_locks([stack])
    assert (check.status, check.mend) == ("warning", "tools lock")
    assert "without one: shared-infra/s3" in check.detail


@pytest.mark.parametrize(
    ("hashes", "status"),
    [(("h1:a=",), "warning"), (("h1:a=", "h1:b="), "ok"), (("h1:a=", "zh:1"), "ok")],
)
def test_a_lock_file_of_one_platform(stack: Stack, hashes: tuple[str, ...], status: str) -> None:
    lock(stack, "5.100.0", *hashes)
    assert check_locks([stack]).status == status


@pytest.mark.parametrize(
    ("version", "status"),
    [("6.21.0", "ok"), ("6.22.0", "warning"), ("6.39.1", "warning"), ("6.40.0", "ok")],
)
def test_the_versions_that_plan_a_change_for_ever(stack: Stack, version: str, status: str) -> None:
    """6.22.0 brought the argument, 6.40.0 the mend: hashicorp/terraform-provider-aws #47320."""
    lock(stack, version, "zh:1")
    assert check_locks([stack]).status == status


def git(root: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True)


def test_what_git_has_and_has_not(stack: Stack) -> None:
    root = stack.path.parents[1]
    assert [check.status for check in check_git(root, [stack])] == ["warning"]
    git(root, "init")
    changes, states = check_git(root, [stack])
    assert "not committed: shared-infra/" in changes.detail
    assert (states.status, states.detail) == (
        "warning",
        "not ignored: shared-infra/s3/terraform.tfstate",
    )
    (root / ".gitignore").write_text("*.tfstate\n*.tfstate.*\n")
    git(root, "add", ".")
    git(root, "commit", "-m", "all")
    assert [check.status for check in check_git(root, [stack])] == ["ok", "ok"]


def test_what_git_refuses_to_say_is_unknown(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    root = stack.path.parents[1]
    git(root, "init")
    # As in a container whose user does not own the checkout; a variable of git's own tests.
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("HOME", str(root))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    [check] = check_git(root, [stack])
    assert check.status == "unknown"
    assert check.detail.startswith("fatal: detected dubious ownership")


def test_states_that_git_cannot_list_are_not_taken_for_none(stack: Stack) -> None:
    root = stack.path.parents[1]
    git(root, "init")
    (root / ".gitignore").write_text("*.tfstate\n*.tfstate.*\n")
    (root / ".git/index").write_bytes(b"damaged")
    assert [check.status for check in check_git(root, [stack])] == ["unknown", "unknown"]


def test_a_state_in_git_is_an_error(stack: Stack) -> None:
    root = stack.path.parents[1]
    git(root, "init")
    (stack.path / "terraform.tfstate").write_text("{}")
    git(root, "add", ".")
    _, states = check_git(root, [stack])
    assert states.status == "error"
    assert states.mend == "git rm --cached shared-infra/s3/terraform.tfstate"


def test_a_name_is_no_other_for_a_space_or_an_accent(stack: Stack) -> None:
    root = stack.path.parents[1]
    write_stack(root, "notebooks/équipe nlp", "")
    stacks = [stack, Stack(root, "notebooks/équipe nlp")]
    git(root, "init")
    (root / ".gitignore").write_text("*.tfstate\n*.tfstate.*\n")
    assert check_git(root, stacks)[1].status == "ok"
    (stacks[1].path / "terraform.tfstate").write_text("{}")
    git(root, "add", "--force", ".")
    assert check_git(root, stacks)[1].mend == (
        "git rm --cached 'notebooks/équipe nlp/terraform.tfstate'"
    )
