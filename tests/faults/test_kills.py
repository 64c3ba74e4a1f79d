"""`kill -9` of the program, and of Terraform, wherever they may be: a second run goes on."""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil
import pytest

from tests.faults.fleet import STACK, Barrier, Fleet, Gate, Moment, await_, ended, kill
from tools.context import _new_logs
from tools.system import processes

Victim = Literal["tools", "terraform"]


@dataclass(frozen=True)
class Point:
    """Where `victim` is killed: before AWS sees the first call of `action`, or after it has.

    After is between what AWS did and what Terraform knows of it. `helps` is what the messages of
    the next runs tell a user to do.
    """

    victim: Victim
    moment: Moment
    action: str
    helps: tuple[str, ...] = ()
    through: int = 0  # so many calls of the same before it

    def __str__(self) -> str:
        nth = f"-{self.through + 1}" if self.through else ""
        return f"{self.victim}-{self.moment}-{self.action.replace(' ', '-')}{nth}"


LOCK, STATE, RECORD = (f"terraform.tfstate{suffix}" for suffix in (".tflock", "", ".record.json"))
UNLOCK = ("unlock",)

# Terraform's way through a run over a state in a bucket.
OF_A_STATE = [
    Point("terraform", "before", f"PUT {LOCK}"),
    Point("terraform", "after", f"PUT {LOCK}", UNLOCK),
    Point("terraform", "before", f"HEAD {STATE}", UNLOCK),
    Point("terraform", "before", f"PUT {STATE}", UNLOCK),
    Point("terraform", "after", f"PUT {STATE}", UNLOCK),
    Point("terraform", "before", f"DELETE {LOCK}", UNLOCK),
    Point("terraform", "after", f"DELETE {LOCK}"),
    Point("tools", "before", f"PUT {RECORD}"),  # the note that an apply begins
    Point("tools", "after", f"PUT {RECORD}"),
    Point("tools", "before", f"PUT {LOCK}"),
    Point("tools", "after", f"PUT {LOCK}"),
    Point("tools", "before", f"PUT {STATE}"),
    Point("tools", "after", f"PUT {STATE}"),
    Point("tools", "before", f"DELETE {LOCK}"),
    Point("tools", "after", f"DELETE {LOCK}"),
    Point("tools", "before", f"PUT {RECORD}", through=1),
    Point("tools", "after", f"PUT {RECORD}", through=1),
]
# And through what AWS makes. NAME is the fleet's.
OF_AWS = [
    Point("terraform", "before", "CreateRole"),
    Point("terraform", "after", "CreateRole"),
    Point("terraform", "after", "CreatePolicy"),
    Point("terraform", "after", "AttachRolePolicy"),
    Point("terraform", "after", "PUT NAME-data"),
    Point("terraform", "after", "CreateNotebookInstanceLifecycleConfig"),
    Point("terraform", "before", "CreateNotebookInstance"),
    Point("terraform", "after", "CreateNotebookInstance"),
    Point("terraform", "before", "DescribeNotebookInstance"),
    Point("tools", "after", "CreateRole"),
    Point("tools", "after", "CreateNotebookInstance"),
]
IN_EVERY_RUN = {
    "terraform-after-PUT-terraform.tfstate.tflock",
    "tools-before-PUT-terraform.tfstate.record.json-2",
}


def points(chosen: list[Point]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "point",
        [
            pytest.param(p, id=str(p), marks=() if str(p) in IN_EVERY_RUN else pytest.mark.nightly)
            for p in chosen
        ],
    )


@points(OF_A_STATE)
def test_a_kill_between_terraform_and_a_bucket(fleet: Fleet, point: Point) -> None:
    fleet.write_quick(in_s3=True)
    assert fleet.tools("deploy", "--local").returncode == 0
    fleet.write_quick(in_s3=True, version=2)
    killed_at(point, fleet)
    assert tuple(fleet.converge()) == point.helps
    fleet.check()


@points(OF_AWS)
def test_a_kill_between_terraform_and_aws(fleet: Fleet, point: Point) -> None:
    fleet.write_aws(notebook="Notebook" in point.action)
    killed_at(point, fleet)
    # Terraform makes several things at once: any of them may be in AWS and not in the state.
    expected = {"adopt"} if point.victim == "terraform" else set()
    assert set(fleet.converge()) <= expected, fleet.proxy.broken
    fleet.check()


def killed_at(point: Point, fleet: Fleet) -> None:
    action = point.action.replace("NAME", fleet.name)
    gate = Gate(fleet.proxy, point.moment, action, point.through)
    process = fleet.start("deploy", "--local")
    gate.await_reached()
    pid = process.pid if point.victim == "tools" else fleet.terraform_pid()
    providers = [child.pid for child in psutil.Process(pid).children()]
    kill(pid)
    gate.open(lose=point.victim == "terraform")
    output = ended(process)
    if point.victim == "tools":
        assert process.returncode == -9
        return
    assert process.returncode == 1
    assert f"{fleet.terraform.product} was ended by signal 9" in output
    # Half a gigabyte each.
    await_(lambda: not any(map(processes.start_time, providers)), "the end of the providers")


def test_what_a_first_apply_left_is_never_called_destroyed(fleet: Fleet) -> None:
    """Both are killed when AWS has an instance that Terraform does not know of yet."""
    fleet.write_instance()
    gate = Gate(fleet.proxy, "after", "CreateNotebookInstance")
    process = fleet.start("deploy", "--local")
    gate.await_reached()
    terraform = fleet.terraform_pid()
    providers = [child.pid for child in psutil.Process(terraform).children()]
    kill(process.pid)
    kill(terraform)
    gate.open(lose=True)
    ended(process)
    await_(lambda: not any(map(processes.start_time, providers)), "the end of the providers")
    instance = {("aws_sagemaker_notebook_instance", fleet.name)}
    assert (fleet.in_cloud(), fleet.in_state()) == (instance, set())

    listed = fleet.tools("list", "--local").stdout
    assert re.search(rf"{STACK} +notebook +unfinished .*its first apply did not finish", listed)
    assert f"tools adopt --local {STACK}" in fleet.tools("status", "--local").stderr

    refused = fleet.tools("destroy", "--local")
    assert refused.returncode == 1, refused.stderr
    assert f"aws_sagemaker_notebook_instance.this ({fleet.name})" in refused.stderr
    assert f"tools adopt --local {STACK}" in refused.stderr
    assert fleet.in_cloud() == instance

    main = fleet.root / STACK / "main.tf"
    text = main.read_text()
    main.write_text(text.replace(fleet.name, f"{fleet.name}-renamed"))
    renamed = fleet.tools("destroy", "--local")
    assert renamed.returncode == 1, renamed.stderr
    assert f"nothing tells what it made ({STACK}/main.tf changed)" in renamed.stderr
    assert fleet.in_cloud() == instance
    main.write_text(text)

    adopted = fleet.tools("adopt", "--local", STACK)
    assert adopted.returncode == 0, adopted.stderr
    assert fleet.in_state() == instance
    gone = fleet.tools("destroy", "--local")
    assert gone.returncode == 0, gone.stderr
    assert fleet.in_cloud() == fleet.in_state() == set()
    again = fleet.tools("list", "--local").stdout
    assert "unfinished" not in again


@pytest.mark.parametrize("victim", ["terraform", "tools"])
@pytest.mark.parametrize(
    "where",
    [
        pytest.param("r0", marks=pytest.mark.nightly),
        "r1",
        pytest.param("r2", marks=pytest.mark.nightly),
    ],
)
def test_a_kill_in_the_middle_of_a_resource(fleet: Fleet, where: str, victim: Victim) -> None:
    fleet.write_quick()
    barrier = Barrier(fleet.root, where)
    barrier.set()
    process = fleet.start("deploy", "--local")
    barrier.await_reached()
    kill(process.pid if victim == "tools" else fleet.terraform_pid())
    ended(process)
    if victim == "tools":
        go_on_after_a_leftover(fleet, barrier)
    else:
        barrier.release()
        assert fleet.converge() == []
    fleet.check()


def go_on_after_a_leftover(fleet: Fleet, barrier: Barrier) -> None:
    """The Terraform of a killed run is at work still: plan, deploy and destroy wait for it."""
    again = fleet.start("deploy", "--local")
    lines = iter(again.stdout or ())
    assert any("still works on it for an earlier run that was killed" in line for line in lines)
    assert list(fleet.logs.glob(f"*/{STACK.replace('/', '.')}.apply.pid"))
    barrier.release()
    ended(again)
    assert again.returncode == 0


def test_what_a_killed_run_still_makes_is_destroyed_too(fleet: Fleet) -> None:
    fleet.write_quick()
    barrier = Barrier(fleet.root, "r0")
    barrier.set()
    process = fleet.start("deploy", "--local")
    barrier.await_reached()
    kill(process.pid)
    ended(process)
    gone = fleet.start("destroy", "--local")
    lines = iter(gone.stdout or ())
    assert any("still works on it for an earlier run that was killed" in line for line in lines)
    barrier.release()
    ended(gone)
    assert gone.returncode == 0
    assert fleet.in_cloud() == fleet.in_state() == set()


@pytest.mark.nightly
@pytest.mark.parametrize("victim", ["terraform", "tools"])
def test_a_kill_during_init(fleet: Fleet, victim: Victim) -> None:
    fleet.write_quick(in_s3=True)
    # Init asks the bucket for workspaces before anything else is known of it.
    gate = Gate(fleet.proxy, "before", f"GET {fleet.bucket}")
    process = fleet.start("deploy", "--local")
    gate.await_reached()
    kill(process.pid if victim == "tools" else fleet.terraform_pid())
    gate.open(lose=victim == "terraform")
    output = ended(process)
    if victim == "terraform":
        assert f"{fleet.terraform.product} was ended by signal 9" in output
    assert fleet.converge() == []
    fleet.check()


@pytest.mark.nightly
def test_both_killed_at_once(fleet: Fleet) -> None:
    fleet.write_quick()
    barrier = Barrier(fleet.root, "r1")
    barrier.set()
    process = fleet.start("deploy", "--local")
    barrier.await_reached()
    terraform = fleet.terraform_pid()
    kill(process.pid)
    kill(terraform)
    ended(process)
    barrier.release()
    await_(lambda: not psutil.pid_exists(terraform), "Terraform's end")
    note = json.loads((fleet.work / ".terraform.tfstate.lock.info").read_text())
    assert note["Operation"] == "OperationTypeApply"  # a lock that nobody holds
    assert fleet.converge() == []
    fleet.check()


def test_the_log_of_what_still_works_is_kept(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"{number:02}").mkdir()
    processes.write_note(os.getpid(), tmp_path / "00" / "notebooks.n.apply.pid")
    (tmp_path / "01" / "notebooks.n.apply.pid").write_text('{"pid": 1, "started": -1}')
    _new_logs(tmp_path)
    kept = sorted(folder.name for folder in tmp_path.iterdir())
    assert kept == ["00", *(f"{number:02}" for number in range(10, 30))]
