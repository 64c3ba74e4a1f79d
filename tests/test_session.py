"""What an interrupted run of the tests leaves behind: nothing."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from tests.children import interruptible
from tests.faults.fleet import SECONDS, await_
from tests.trees import REPOSITORY

# A process in a session of its own, as Terraform's and LocalStack's are, and a test that waits.
WAITING = """
import subprocess, time
from pathlib import Path

def test_waits():
    child = subprocess.Popen(["sleep", "600"], start_new_session=True)
    Path({started!r}).write_text(str(child.pid) + "\\n")
    time.sleep(600)
"""

# A test that waits for a command in a fork (tests/warm.py).
FORKED = """
import os
from pathlib import Path
from tests import warm

def test_waits():
    warm.run([{started!r}], Path.cwd(), os.environ, "tests.test_session:note_and_wait")
"""


def note_and_wait() -> None:
    Path(sys.argv[1]).write_text(f"{os.getpid()}\n")
    time.sleep(600)


@pytest.mark.parametrize(
    ("waiting", "workers"),
    [
        (WAITING, 0),
        (WAITING, 1),
        pytest.param(FORKED, 1, marks=pytest.mark.nightly),
    ],
    ids=["alone", "worker", "worker-fork"],
)
def test_ctrl_c_leaves_no_process(tmp_path: Path, waiting: str, workers: int) -> None:
    started = tmp_path / "started"
    (tmp_path / "test_waiting.py").write_text(waiting.format(started=str(started)))
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-n", str(workers)]
    # Else it would delete the folders of earlier sessions as it ends, which can take minutes.
    command.append(f"--basetemp={tmp_path / 'inner'}")
    with interruptible():
        process = subprocess.Popen(
            [*command, "-c", os.devnull, f"--rootdir={tmp_path}", str(tmp_path)],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    try:
        await_(lambda: started.exists() and started.read_text().endswith("\n"), "the test's child")
        child = int(started.read_text())
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=SECONDS)[0]
    finally:
        process.kill()
    if waiting == WAITING:
        assert f"ending {child}: sleep 600" in said
    assert not psutil.pid_exists(child)
