"""`tools state unlock` of a local state; tests/remote_state has those in buckets."""

import json
from pathlib import Path

import pytest

from tests.unit.commands.conftest import Checkout
from tests.unit.engine.fake_terraform import write_state

# As Terraform writes it: https://github.com/hashicorp/terraform/blob/v1.11.4/internal/states/statemgr/locker.go
LOCK = {
    "ID": "6f8c1d9e-0000-0000-0000-000000000000",
    "Operation": "OperationTypeApply",
    "Info": "",
    "Who": "bea@desk",
    "Version": "1.11.4",
    "Created": "2026-01-02T03:04:05.0Z",
    "Path": "terraform.tfstate",
}


@pytest.fixture
def locked(identified: Checkout) -> Path:
    """The note of a lock on the state of notebooks/gone, whose root module is gone."""
    gone = identified.root / "notebooks/gone"
    write_state(gone)
    note = gone / ".terraform.tfstate.lock.info"
    note.write_text(json.dumps(LOCK))
    return note


@pytest.mark.parametrize("name", ["notebooks/gone", "notebooks/gone/"])  # as a shell completes it
def test_the_lock_of_an_orphan_is_removed_by_its_whole_name(
    identified: Checkout, locked: Path, name: str
) -> None:
    done = identified.tools("state", "unlock", name, "--yes")
    assert done.returncode == 0, done
    assert "locked by bea@desk" in done.stderr
    assert not locked.exists()
    assert (locked.parent / "terraform.tfstate").exists()


def test_it_is_asked_first(identified: Checkout, locked: Path) -> None:
    done = identified.tools("state", "unlock", "notebooks/gone", answers="n\n")
    assert done.returncode == 1
    assert "Has that Terraform ended?" in done.stderr
    assert locked.exists()


def test_a_name_of_neither_a_stack_nor_an_orphan_is_told(
    identified: Checkout, locked: Path
) -> None:
    done = identified.tools("state", "unlock", "notebooks/gnoe", "--yes")
    assert done.returncode == 1
    assert "no stack is called notebooks/gnoe" in done.stderr
    assert locked.exists()


def test_a_stack_that_is_not_locked_says_so(identified: Checkout, locked: Path) -> None:
    for name in ("notebook-dev", "notebooks/notebook-dev"):
        done = identified.tools("state", "unlock", name, "--yes")
        assert done.returncode == 1
        assert "notebook-dev/terraform.tfstate is not locked" in done.stderr
    assert locked.exists()
