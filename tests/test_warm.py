"""A command in a fork is as in a process of its own: Python's start and end are the oracle."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests import warm
from tests.trees import REPOSITORY


def tell() -> None:
    """Prints what a program sees of its start, and ends as its first argument says."""
    print(json.dumps(sys.argv[1:]), sorted(os.environ.items()), Path.cwd())
    print(sys.stdin.read())
    print(*map(signal.getsignal, (signal.SIGINT, signal.SIGCHLD, signal.SIGPIPE)))
    print("é\r\n", file=sys.stderr)
    match sys.argv[1]:
        case "7":
            sys.exit(7)
        case "text":
            sys.exit("why")
        case "killed":
            sys.stdout.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        case "thread":
            threading.Timer(0.2, print, ["the last word"]).start()


@pytest.mark.parametrize("end", ["0", "7", "text", "killed", "thread"])
def test_a_fork_is_like_a_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    env = {name: value for name, value in os.environ.items() if name != "HOME"} | {"A": "b"}
    arguments = [end, "a b", "é"]
    started = subprocess.run(
        [sys.executable, "-c", f"from {__name__} import tell; tell()", *arguments],
        cwd=tmp_path,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    forked = warm.run(arguments, tmp_path, env, f"{__name__}:tell")
    assert forked.returncode == started.returncode
    assert forked.stdout.splitlines() == started.stdout.splitlines()
    assert forked.stderr == started.stderr


def test_several_at_once_have_their_own_answers(tmp_path: Path) -> None:
    said: dict[str, str] = {}

    def run(word: str) -> None:
        said[word] = warm.run(["0", word], tmp_path, os.environ, f"{__name__}:tell").stdout

    threads = [threading.Thread(target=run, args=[f"word {number}"]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(said) == 8
    assert all(f'["0", "{word}"]' in text for word, text in said.items())


def test_it_is_the_program(tmp_path: Path) -> None:
    done = warm.run(["plan", "--nonsense"], tmp_path, os.environ)
    assert done.returncode == 2
    assert done.stderr.startswith("Usage: tools plan")


def test_what_python_reads_as_it_starts_needs_a_start(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="a process of its own"):
        warm.run(["list"], tmp_path, {**os.environ, "PYTHONHASHSEED": "1"})
