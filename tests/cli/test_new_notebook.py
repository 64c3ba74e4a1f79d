"""`tools new-notebook` where Terraform or a process of its own has a part."""

import json
import signal
import time

import pytest

from tests.cli.conftest import Checkout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_leaves_all_or_nothing(checkout: Checkout, number: int) -> None:
    before = checkout.notebooks()
    many = [{"name": f"nb-{n}"} for n in range(500)]
    (checkout.root / "many.yaml").write_text(json.dumps(many))
    process = checkout.start("new-notebook", "--from-file", "many.yaml")
    deadline = time.monotonic() + 300
    while checkout.notebooks() == before and process.poll() is None:
        assert time.monotonic() < deadline
    process.send_signal(number)
    output = process.communicate(timeout=300)[0]
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
