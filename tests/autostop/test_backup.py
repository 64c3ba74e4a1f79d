"""The backup of the home: the script as Terraform renders it, against LocalStack's S3."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import free_port

from .scripts import Rendered, Run, run
from .service import AGES, watching

BUCKET = "acme-datasets"
AWS_CLI = Path(sys.executable).with_name("aws")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    for name in ("a.ipynb", "data/ü b.csv", ".cache/big", "scratch.tmp", "deep/.cache/kept"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(f"content of {name}")
    (home / "link").symlink_to("/etc")
    return home


@pytest.fixture
def s3(client: Callable[..., Any]) -> Any:
    s3 = client("s3")
    s3.create_bucket(Bucket=BUCKET)
    return s3


def back_up(started: Run, home: Path, env: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [started.parts / "home-backup"],
        env={
            **env,
            "BACKUP_HOME": str(home),
            "PATH": f"{AWS_CLI.parent}{os.pathsep}{env['PATH']}",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def stored(s3: Any, prefix: str) -> dict[str, str]:
    found = s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    return {
        item["Key"].removeprefix(prefix): s3.get_object(Bucket=BUCKET, Key=item["Key"])["Body"]
        .read()
        .decode()
        for item in found
    }


def test_the_home_is_copied_and_what_was_done_is_listed(
    lifecycle: Rendered, tmp_path: Path, home: Path, s3: Any, aws_env: dict[str, str]
) -> None:
    started = run(lifecycle["backup"]["on_start"], tmp_path)
    assert started.exit_code == 0
    assert "start notebook-backup.timer" in started.systemctl
    done = back_up(started, home, aws_env)
    assert done.returncode == 0, done.stderr
    copied = stored(s3, "backups/backup/home/")
    kept = ["a.ipynb", "data/ü b.csv", "deep/.cache/kept"]
    assert copied == {name: f"content of {name}" for name in kept}
    first, *lines = stored(s3, "backups/backup/")["done.txt"].splitlines()
    sizes = {name: len((home / name).read_bytes()) for name in kept}
    assert sorted(lines) == sorted(f"{size} {name}" for name, size in sizes.items())
    assert first.split()[2:] == ["3", str(sum(sizes.values()))]
    assert f"backup: done: {sum(sizes.values())} bytes to s3://{BUCKET}" in done.stdout

    # What is deleted in the home stays in the backup.
    (home / "a.ipynb").unlink()
    assert back_up(started, home, aws_env).returncode == 0
    assert "a.ipynb" in stored(s3, "backups/backup/home/")
    assert len(stored(s3, "backups/backup/")["done.txt"].splitlines()) == 3


def test_what_is_too_large_or_fails_says_so_and_lists_nothing(
    lifecycle: Rendered, tmp_path: Path, home: Path, s3: Any, aws_env: dict[str, str]
) -> None:
    too_large = run(lifecycle["backup-too-large"]["on_start"], tmp_path / "large")
    done = back_up(too_large, home, aws_env)
    assert done.returncode == 1
    assert "bytes are more than 0 (backup_gb)" in done.stdout
    assert stored(s3, "backups/backup-too-large/") == {}
    started = run(lifecycle["backup"]["on_start"], tmp_path)
    for item in s3.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        s3.delete_object(Bucket=BUCKET, Key=item["Key"])
    s3.delete_bucket(Bucket=BUCKET)
    done = back_up(started, home, aws_env)
    assert done.returncode == 1
    assert "not done: aws s3 sync ended with 1" in done.stdout


def test_the_service_has_a_timer_and_is_told_apart_from_the_users_work(
    lifecycle: Rendered, tmp_path: Path
) -> None:
    started = run(lifecycle["backup"]["on_start"], tmp_path)
    units = tmp_path / "etc/systemd/system"
    assert "OnUnitActiveSec=6h" in (units / "notebook-backup.timer").read_text()
    service = (units / "notebook-backup.service").read_text().splitlines()
    assert "User=ec2-user" in service
    assert any(line.startswith("Environment=NOTEBOOK_BACKUP=1") for line in service)
    assert started.unit["ExecStart"].endswith(" --processes --backup")
    without = run(lifecycle["default"]["on_start"], tmp_path / "without")
    assert "--backup" not in without.unit["ExecStart"]
    assert not (without.parts / "autostop/backup.py").exists()


def test_auto_stop_waits_for_one_backup_before_it_stops(tmp_path: Path) -> None:
    """No Jupyter answers, and nothing can stop the instance: it is due in each poll."""
    commands, called = tmp_path / "commands", tmp_path / "called"
    commands.mkdir()
    systemctl = commands / "systemctl"
    systemctl.write_text(f'#!/bin/sh\necho "$*" >>"{called}"\n')
    systemctl.chmod(0o755)
    nowhere = f"https://127.0.0.1:{free_port()}"
    env = {"PATH": f"{commands}:/usr/bin:/bin", "HOME": str(tmp_path)}
    with watching(tmp_path, nowhere, "--backup", env=env) as autostop:
        backed_up = autostop.wait_for("backup before the stop")
        autostop.wait_for("cannot stop", times=2, after=backed_up)
    assert called.read_text() == "start notebook-backup\n"


def test_the_backup_is_no_work(tmp_path: Path) -> None:
    """Of two processes that compute, the marked one is never named.

    The other is the measure: once it has had its share of a busy machine, so has the marked one.
    """
    nowhere = f"https://127.0.0.1:{free_port()}"
    backup, work = (
        subprocess.Popen(
            [sys.executable, "-c", "while True: pass"],
            env={**os.environ, "NOTEBOOK_BACKUP": mark},
        )
        for mark in ("1", "0")
    )
    options = ("--processes", f"--user={os.getuid()}", "--backup", "--poll-seconds=0.3")
    try:
        with watching(tmp_path, nowhere, *options, idle=AGES) as autostop:
            autostop.wait_for(f"(pid {work.pid},", times=3)
            assert f"(pid {backup.pid}," not in "\n".join(autostop.lines)
    finally:
        for process in (backup, work):
            process.kill()
            process.wait()
