"""`tools upgrade` in this process; tests/cli upgrades working copies and what is applied."""

from pathlib import Path

import pytest

from tests.trees import REPOSITORY, copy_repository
from tests.unit.commands.conftest import Checkout
from tools.scaffold import upgrade

OLDEST, *_, TODAY = upgrade.read_layouts(REPOSITORY / "templates/notebook")
EXAMPLE = "terraform.tfvars.example"


@pytest.fixture
def old(deployable: Checkout) -> Path:
    """The directory of a notebook of the oldest layout, beside the templates of all."""
    copy_repository(deployable.root, "templates/earlier")
    directory = deployable.root / "notebooks/old"
    directory.mkdir()
    for name, text in OLDEST.items():
        (directory / name).write_text(text)
    return directory


def files(directory: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in directory.iterdir()}


def test_a_shell_in_a_directory_that_is_replaced_is_told_so(
    deployable: Checkout, old: Path
) -> None:
    done = deployable.tools("upgrade", "--yes", cwd="notebooks/old")
    assert done.returncode == 0, done.stderr
    assert "upgraded notebooks/old\n" in done.stderr
    assert 'your shell is in a directory that was replaced: cd "$PWD"\n' in done.stderr
    assert files(old) == dict(TODAY)


def test_a_shell_in_another_directory_is_not(deployable: Checkout, old: Path) -> None:
    done = deployable.tools("upgrade", "--yes", cwd="notebooks/notebook-dev")
    assert done.returncode == 0, done.stderr
    assert "upgraded notebooks/old\n" in done.stderr
    assert "your shell" not in done.stderr


def test_it_is_asked_first_and_no_changes_nothing(deployable: Checkout, old: Path) -> None:
    done = deployable.tools("upgrade", answers="n\n")
    assert done.returncode == 1
    assert "Upgrade? [y/N]" in done.stderr
    assert files(old) == dict(OLDEST)


def test_what_an_owner_changed_stays_and_is_named(deployable: Checkout, old: Path) -> None:
    mine = f"{OLDEST[EXAMPLE]}# mine\n"
    (old / EXAMPLE).write_text(mine)
    done = deployable.tools("upgrade", "old", "--yes")
    assert done.returncode == 0, done.stderr
    assert f"notebooks/old keeps your {EXAMPLE}, as you changed it\n" in done.stderr
    assert files(old) == {**TODAY, EXAMPLE: mine}


def test_why_a_directory_is_left_alone_is_said_of_each_that_was_named(
    deployable: Checkout,
) -> None:
    named = deployable.tools("upgrade", "notebook-dev")
    assert (named.returncode, named.stdout) == (0, "")
    assert named.stderr == "notebooks/notebook-dev: up to date\nnothing to upgrade\n"
    assert deployable.tools("upgrade").stderr == "nothing to upgrade\n"
    (deployable.root / "notebooks/own").mkdir()
    (deployable.root / "notebooks/own/main.tf").write_text('resource "null_resource" "x" {}\n')
    everything = deployable.tools("upgrade")
    assert everything.stderr == (
        "notebooks/own: not made by `tools new-notebook`\nnothing to upgrade\n"
    )
