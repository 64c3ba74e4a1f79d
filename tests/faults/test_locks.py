"""Two runs at once on one state: the second says who holds the lock, and harms nothing."""

import re

import pytest

from tests.faults.fleet import STACK, Barrier, Fleet, ended


@pytest.mark.parametrize(
    "in_s3",
    [
        pytest.param(False, id="on this machine"),
        pytest.param(True, id="in a bucket", marks=pytest.mark.nightly),
    ],
)
def test_a_second_deployment_reports_the_lock(fleet: Fleet, in_s3: bool) -> None:
    fleet.write_quick(in_s3=in_s3)
    barrier = Barrier(fleet.root, "r1")
    barrier.set()
    first = fleet.start("deploy", "--local")
    barrier.await_reached()
    for command in ("deploy", "plan", "destroy"):
        second = fleet.tools(command, "--local")
        assert second.returncode == 1
        assert (
            f"another {fleet.terraform.product} works on it (" in second.stdout + second.stderr
        ), command
        assert "Traceback" not in second.stderr
    assert fleet.in_cloud() == {("terraform_data", "r0"), ("terraform_data", "r1")}
    barrier.release()
    said = ended(first)
    assert first.returncode == 0, said
    assert fleet.converge() == []
    fleet.check()


@pytest.mark.nightly
def test_two_that_start_at_once(fleet: Fleet) -> None:
    fleet.write_quick()
    both = [fleet.start("deploy", "--local") for _ in range(2)]
    said = [ended(process) for process in both]
    codes = [process.returncode for process in both]
    assert set(codes) <= {0, 1}
    for code, output in zip(codes, said, strict=True):
        assert "Traceback" not in output
        assert code == 0 or re.search(rf"{STACK} +failed", output), output
    assert fleet.converge() == []
    fleet.check()
