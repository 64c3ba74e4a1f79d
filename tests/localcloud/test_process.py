"""The background process: started once, found again, ended, whatever happens in between."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import psutil  # type: ignore[import-untyped]
import pytest

from tests.children import interruptible
from tests.conftest import free_port
from tools.errors import UserError
from tools.localcloud import ports
from tools.localcloud.client import environment, variables_to_unset
from tools.localcloud.process import LocalCloud, Running

UP = (
    "import pathlib, sys; from tools.localcloud.process import LocalCloud; "
    "running = LocalCloud(pathlib.Path(sys.argv[1])).up(int(sys.argv[2])); "
    "print(running.pid, running.port)"
)


def eventually(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[LocalCloud]:
    cloud = LocalCloud(tmp_path / "cloud")
    yield cloud
    cloud.down()


@pytest.fixture
def port_of_4566(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port that stands for 4566, which may be in use on this machine, and is taken here."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        monkeypatch.setattr(ports, "PREFERRED_PORT", port)
        yield port


def opened_to_write(pid: int) -> list[Any]:
    """The files that a process, or a child of it, has open to write to."""
    leader = psutil.Process(pid)
    files = [file for one in [leader, *leader.children(True)] for file in one.open_files()]
    return [file for file in files if file.mode != "r"]


def test_the_life_of_a_local_cloud(cloud: LocalCloud) -> None:
    pid_file = cloud.directory / "localstack.json"
    assert cloud.status() is None
    port = free_port()
    running = cloud.up(port)
    assert running.port == port
    assert running.endpoint == f"http://127.0.0.1:{port}"
    assert cloud.status() == running
    assert cloud.up() == cloud.up(port) == LocalCloud(cloud.directory).up() == running
    with pytest.raises(UserError, match=f"runs on port {port}, not {port + 1}.*tools local down"):
        cloud.up(port + 1)

    s3 = boto3.client("s3", endpoint_url=running.endpoint, **CREDENTIALS)
    bucket = f"of-the-past-{uuid4().hex}"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="large", Body=b"x" * 2_000_000)  # more than is kept in memory
    # All that it writes goes with it; the system says what is open.
    written = [Path(file.path) for file in opened_to_write(running.pid)]
    assert [path for path in written if not path.is_relative_to(cloud.directory)] == []
    assert not any(parent.joinpath(bucket).exists() for parent in Path("/tmp").glob("localstack*"))
    again = cloud.reset()
    assert again.port == port
    assert again.pid != running.pid
    assert s3.list_buckets()["Buckets"] == []

    # By its start as well as its number, which the system gives away again on a busy machine.
    process_of_again = psutil.Process(again.pid)
    assert process_of_again.is_running()
    noted = pid_file.read_text()
    assert cloud.down()
    assert cloud.status() is None
    assert not process_of_again.is_running()
    assert not cloud.down()
    assert sorted(path.name for path in cloud.directory.iterdir()) == ["localstack.log", "lock"]

    # A process that got the number of the emulator is left alone.
    other = subprocess.Popen(["sleep", "600"], start_new_session=True)
    try:
        pid_file.write_text(noted.replace(f'"pid": {again.pid}', f'"pid": {other.pid}'))
        assert f'"pid": {other.pid}' in pid_file.read_text()
        assert cloud.status() is None
        assert not cloud.down()
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


CREDENTIALS = {
    "aws_access_key_id": "test",
    "aws_secret_access_key": "test",
    "region_name": "us-east-1",
}


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads of a killed process hold its port until the system ends them, on a busy one late."""
    monkeypatch.setattr(ports, "_SECONDS_TO_FREE_A_PORT", 300)


def test_a_taken_port_is_a_clear_error(cloud: LocalCloud, port_of_4566: int) -> None:
    with pytest.raises(UserError, match=f"port {port_of_4566} .*taken.*--port"):
        cloud.up(port_of_4566)
    assert cloud.status() is None


@pytest.mark.usefixtures("patience")
def test_a_killed_emulator_is_noticed_and_started_again(cloud: LocalCloud) -> None:
    first = cloud.up(free_port())
    os.kill(first.pid, signal.SIGKILL)
    eventually(lambda: cloud.status() is None)
    second = cloud.up(first.port)
    assert second.port == first.port
    assert second.pid != first.pid
    assert cloud.status() == second


@pytest.mark.parametrize("noted", ["", "{", "[]", '{"pid": "x"}', '{"pid": 4194304, "port": 1}'])
def test_a_broken_pid_file_is_no_emulator(cloud: LocalCloud, noted: str) -> None:
    cloud.directory.mkdir()
    (cloud.directory / "localstack.json").write_text(noted)
    assert cloud.status() is None
    assert not cloud.down()


def test_two_processes_that_start_it_at_once_get_the_same(cloud: LocalCloud) -> None:
    command = [sys.executable, "-c", UP, str(cloud.directory), str(free_port())]
    starters = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    answers = {starter.communicate(timeout=300)[0] for starter in starters}
    running = cloud.status()
    assert running
    assert answers == {f"{running.pid} {running.port}\n"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_start_leaves_nothing(cloud: LocalCloud, number: signal.Signals) -> None:
    interrupt_the_start(cloud, free_port(), number)


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGKILL,  # which lets nothing be tidied up
        pytest.param(signal.SIGINT, marks=pytest.mark.nightly),
        pytest.param(signal.SIGTERM, marks=pytest.mark.nightly),
    ],
)
@pytest.mark.usefixtures("patience")
def test_after_an_interrupted_start_it_starts(cloud: LocalCloud, number: signal.Signals) -> None:
    port = free_port()
    interrupt_the_start(cloud, port, number)
    assert cloud.up(port).port == port


def interrupt_the_start(cloud: LocalCloud, port: int, number: signal.Signals) -> None:
    """Sends a signal to a process that starts `cloud`, and sees that nothing is left of it."""
    with interruptible():
        starting = subprocess.Popen(
            [sys.executable, "-c", UP, str(cloud.directory), str(port)], stderr=subprocess.DEVNULL
        )
    with starting as starter:
        eventually(lambda: psutil.Process(starter.pid).children())
        [emulator] = psutil.Process(starter.pid).children()
        starter.send_signal(number)
        assert starter.wait(timeout=300) != 0
    eventually(lambda: not emulator.is_running())
    assert cloud.status() is None


def test_an_emulator_that_dies_at_its_start_says_why(
    cloud: LocalCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken" / "localstack"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise RuntimeError('the disk is full')")
    monkeypatch.setenv("PYTHONPATH", str(broken.parent))
    with pytest.raises(UserError) as caught:
        cloud.up(free_port())
    assert "RuntimeError: the disk is full" in str(caught.value)
    assert str(cloud.log) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert cloud.status() is None


def test_an_emulator_that_is_not_ready_in_time_is_ended(cloud: LocalCloud) -> None:
    port = free_port()
    with pytest.raises(UserError, match=r"not ready in time.*localstack\.log"):
        cloud.up(port, timeout=0)
    assert cloud.status() is None
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", port))


def test_an_emulator_that_others_could_reach_is_ended(
    cloud: LocalCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_the_mend = (
        "from tools.emulator import fixes\n"
        "def _listen_on_one_address(): pass\n"
        "fixes._listen_on_one_address = _listen_on_one_address\n"
    )
    (tmp_path / "sitecustomize.py").write_text(without_the_mend)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    port = free_port()
    with pytest.raises(UserError, match=rf"listens on 0\.0\.0\.0:{port}"):
        cloud.up(port)
    assert cloud.status() is None
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=10)


WITHOUT_SAGEMAKER = """
import json, os
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.headers["Host"].startswith("127.0.0.1:") else 403)
        self.end_headers()
        self.wfile.write(json.dumps({"services": {"s3": "available"}}).encode())

host, port = os.environ["GATEWAY_LISTEN"].split(":")
HTTPServer((host, int(port)), Handler).serve_forever()
"""


def test_an_emulator_without_sagemaker_is_ended(
    cloud: LocalCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in for one that finds no plugin: the installation that the tests have finds it."""
    package = tmp_path / "broken" / "tools" / "emulator"
    package.mkdir(parents=True)
    for file in (package.parent / "__init__.py", package / "__init__.py"):
        file.touch()
    (package / "server.py").write_text(WITHOUT_SAGEMAKER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "broken"))
    port = free_port()
    with pytest.raises(UserError, match=r"does not find the SageMaker plugin; .*make setup"):
        cloud.up(port)
    assert cloud.status() is None
    ports.require_free(port)


@pytest.mark.nightly
def test_an_emulator_that_answers_pages_is_ended(
    cloud: LocalCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_the_mend = "from tools.emulator import pages\npages._refuse = lambda *_: None\n"
    (tmp_path / "sitecustomize.py").write_text(without_the_mend)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(UserError, match="it answers pages in a browser"):
        cloud.up(free_port())
    assert cloud.status() is None


def test_another_port_where_4566_is_taken_and_no_settings_of_the_user(
    cloud: LocalCloud, port_of_4566: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two things of one start, which takes seconds."""
    ours = {
        "AWS_PROFILE": "production",
        "AWS_CA_BUNDLE": "/nowhere",
        "DEBUG": "1",
        "DISABLE_CORS_CHECKS": "1",
        "DISABLE_CUSTOM_CORS_S3": "1",
        "EXTRA_CORS_ALLOWED_ORIGINS": "*",
        "HTTP_PROXY": "http://127.0.0.1:1",
        "LOCALSTACK_AUTH_TOKEN": "secret",
        "PERSISTENCE": "1",
        "SERVICES": "sqs",
        "GATEWAY_LISTEN": "0.0.0.0:1",
    }
    for name, value in ours.items():
        monkeypatch.setenv(name, value)
    running = cloud.up()
    assert running.port != port_of_4566
    theirs = psutil.Process(running.pid).environ()
    assert not ours.items() & theirs.items()
    assert theirs["DISABLE_EVENTS"] == "1"


def test_it_answers_on_127_0_0_1_alone(local_cloud: Running) -> None:
    with socket.create_connection(("127.0.0.1", local_cloud.port), timeout=10):
        pass
    # an address of this machine too: whoever listens on every interface answers there
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", local_cloud.port), timeout=10)
    listening = {
        connection.laddr.ip
        for connection in psutil.Process(local_cloud.pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN or not connection.raddr
    }
    assert listening == {"127.0.0.1"}


@pytest.mark.parametrize(
    "endpoint", ["http://localhost:4566", "http://localhost.localstack.cloud:4566", "127.0.0.1"]
)
def test_an_endpoint_without_an_address_is_refused(endpoint: str) -> None:
    with pytest.raises(UserError, match=r"http://127\.0\.0\.1:<port>"):
        environment(endpoint)


def test_a_proxy_is_not_asked_and_the_users_exceptions_stay() -> None:
    endpoint = "http://127.0.0.1:4566"
    assert environment(endpoint, env={})["NO_PROXY"] == "127.0.0.1"
    both = environment(endpoint, env={"no_proxy": "intranet"})
    assert both["NO_PROXY"] == "127.0.0.1,intranet"


def test_everything_that_leads_elsewhere_is_unset() -> None:
    users = {
        "AWS_ACCESS_KEY_ID": "replaced, not unset",
        "AWS_CA_BUNDLE": "",
        "AWS_ENDPOINT_URL_S3": "",
        "AWS_PROFILE": "",
        "AWS_SESSION_TOKEN": "",
        "HOME": "",
        "no_proxy": "",
    }
    assert variables_to_unset(users) == [
        "AWS_CA_BUNDLE",
        "AWS_ENDPOINT_URL_S3",
        "AWS_PROFILE",
        "AWS_SESSION_TOKEN",
        "no_proxy",
    ]
