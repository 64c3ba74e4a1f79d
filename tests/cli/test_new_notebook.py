"""`tools new-notebook` where Terraform or a process of its own has a part."""

import json
import signal

import pytest

from tests.cli.conftest import Checkout
from tests.faults.fleet import Barrier, ended


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_leaves_all_or_nothing(checkout: Checkout, number: int) -> None:
    """It is held with one of two directories written (tests/cli/pausing.py)."""
    before = checkout.notebooks()
    (checkout.root / "two.yaml").write_text(json.dumps([{"name": "one"}, {"name": "two"}]))
    barrier = Barrier(checkout.root, "first")
    barrier.set()
    new = ("new-notebook", "--from-file", "two.yaml")
    process = checkout.start(barrier.pause, *new, main="tests.cli.pausing")
    barrier.await_reached()
    assert checkout.notebooks() != before
    process.send_signal(number)
    barrier.release()
    output = ended(process)
    assert process.returncode == 128 + number, output
    assert "Traceback" not in output
    assert checkout.notebooks() == before


def test_a_deployment_that_cannot_be_leaves_no_directory(checkout: Checkout) -> None:
    before = checkout.notebooks()
    checkout.tools("init", "--project", "acme", "--region", "us-east-1", "--default-vpc")
    done = checkout.tools("new-notebook", "a", "--apply", "--yes")
    assert done.returncode == 1
    assert "no AWS credentials" in done.stderr
    assert checkout.notebooks() == before
