"""The local cloud: one LocalStack process for a directory, started, found again and ended."""

import fcntl
import http
import http.client
import importlib.util
import ipaddress
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tools.errors import UserError
from tools.system import processes

HOST = "127.0.0.1"
PREFERRED_PORT = 4566
REGION = "us-east-1"

# The SageMaker plugin's: how long a notebook instance is Pending, Stopping, Updating, Deleting.
TRANSITION_VARIABLE = "SAGEMAKER_TRANSITION_SECONDS"

# What the Terraform here uses and what a notebook's owner tries first. Each loads when it is
# first called. DynamoDB is missing because LocalStack downloads its engine.
SERVICES = (
    "cloudwatch",
    "ec2",
    "events",
    "iam",
    "kms",
    "logs",
    "resource-groups",
    "resourcegroupstaggingapi",
    "s3",
    "s3control",
    "sagemaker",
    "scheduler",
    "secretsmanager",
    "sns",
    "ssm",
    "sts",
)

# LocalStack reads well over a hundred variables (PERSISTENCE, DEBUG, HOSTNAME, proxies, ...), so
# it gets only these of the caller's.
KEPT_VARIABLES = (
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "PATH",
    "PYTHONPATH",
    TRANSITION_VARIABLE,
    "TZ",
)

_SECONDS_BETWEEN_PROBES = 0.1
_SECONDS_TO_LET_GO = 5.0
_SECONDS_TO_FREE_A_PORT = 2.0  # which a killed process still holds for a moment


@dataclass(frozen=True)
class Running:
    """An emulator that answers: its process id and the port on 127.0.0.1."""

    pid: int
    port: int

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}"


class LocalCloud:
    """The emulator of one directory, which holds its pid file, log and scratch files.

    Nothing in it outlives `down` or `reset` but the log: LocalStack's community edition keeps
    its resources in memory.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory.absolute()
        self.log = self.directory / "localstack.log"
        self._pid_file = self.directory / "localstack.json"
        self._lock_file = self.directory / "lock"
        self._scratch = self.directory / "scratch"
        self._child: subprocess.Popen[bytes] | None = None

    def up(self, port: int | None = None, timeout: float = 90) -> Running:
        """The running emulator, started where none is.

        `port` is 4566 or, where that is taken, any free one. `timeout` is in seconds.
        Raises UserError where the emulator already runs on another port than `port`, `port` is
        taken, or LocalStack is not installed, dies or is not ready in time.
        """
        with self._locked():
            running = self.status()
            if running is None:
                return self._start(port or _free_port(), timeout)
            if port not in (None, running.port):
                raise UserError(
                    f"the local cloud already runs on port {running.port}, not {port}; "
                    "end it first: tools local down"
                )
            return running

    def status(self) -> Running | None:
        """The running emulator; None where there is none, whatever the pid file says."""
        try:
            noted = json.loads(self._pid_file.read_text())
            running, started = Running(int(noted["pid"]), int(noted["port"])), noted["started"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return running if processes.started(running.pid) == started else None

    def down(self) -> bool:
        """Ends the emulator, and all it holds with it; False where none ran."""
        with self._locked():
            return self._stop() is not None

    def reset(self, timeout: float = 90) -> Running:
        """An empty emulator, on the port of the one that ran.

        Raises UserError as `up` does.
        """
        with self._locked():
            stopped = self._stop()
            return self._start(stopped.port if stopped else _free_port(), timeout)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One caller at a time, whatever process or thread it is in."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with self._lock_file.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _start(self, port: int, timeout: float) -> Running:
        _require_localstack()
        _require_free(port)
        self._wipe()
        (self._scratch / "tmp").mkdir(parents=True)
        with self.log.open("wb") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", "tools.emulator.server"],
                cwd=self._scratch,
                env=self._environment(port),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._await_ready(child, port, time.monotonic() + timeout)
            running = self._note(child.pid, port)
            assert child.stdin is not None
            with child.stdin as parent_is_content:
                parent_is_content.write(b"\n")
        except BaseException:
            _end(child.pid)
            child.wait()
            self._pid_file.unlink(missing_ok=True)
            raise
        self._child = child
        return running

    def _environment(self, port: int) -> dict[str, str]:
        scratch = str(self._scratch)
        return {
            **{name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ},
            "GATEWAY_LISTEN": f"{HOST}:{port}",
            "SERVICES": ",".join(SERVICES),
            "DISABLE_EVENTS": "1",  # telemetry
            "SKIP_SSL_CERT_DOWNLOAD": "1",
            "DNS_ADDRESS": "0",  # no DNS server
            "OVERRIDE_IN_DOCKER": "0",  # in a container it would use the container's own folders
            "FILESYSTEM_ROOT": scratch,  # the default is a folder inside the installed package
            "CONFIG_DIR": scratch,
            "HOME": scratch,
            "TEMP": str(self._scratch / "tmp"),
            "PYTHONUNBUFFERED": "1",
        }

    def _await_ready(self, child: "subprocess.Popen[bytes]", port: int, deadline: float) -> None:
        while not (services := _services(port)):
            if child.poll() is not None:
                raise UserError(f"LocalStack ended while starting: {self._last_words()}")
            if time.monotonic() > deadline:
                raise UserError(f"LocalStack is not ready in time: {self._last_words()}")
            time.sleep(_SECONDS_BETWEEN_PROBES)
        _require_loopback_only(child.pid, port)
        _require_pages_refused(port)
        if "sagemaker" not in services:
            raise UserError(
                "LocalStack does not find the SageMaker plugin; install this package again "
                "(make setup), since its entry points are read from the installation"
            )

    def _note(self, pid: int, port: int) -> Running:
        started = processes.started(pid)
        partial = self._pid_file.with_suffix(".partial")
        partial.write_text(json.dumps({"pid": pid, "port": port, "started": started}))
        partial.replace(self._pid_file)
        return Running(pid, port)

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").split("\n")
        cause = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
        return f"{cause} (log: {self.log})"

    def _stop(self) -> Running | None:
        running = self.status()
        if running:
            _end(running.pid)
            # A killed process's threads hold its port a moment longer than it shows itself alive.
            if self._child and self._child.pid == running.pid:
                self._child.wait()
            _await_free(running.port)
        self._pid_file.unlink(missing_ok=True)
        self._wipe()
        return running

    def _wipe(self) -> None:
        if self._scratch.exists():
            shutil.rmtree(self._scratch)


def environment(
    endpoint: str, region: str = REGION, env: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """What terraform, aws and boto3 need in their environment to reach `endpoint`, and only it.

    `env` is theirs until then: its NO_PROXY is kept. Raises UserError where the endpoint's host
    is a name: S3 clients then put the bucket in front of it, which no name server knows.
    """
    host = urlsplit(endpoint).hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        raise UserError(
            f"the endpoint {endpoint} has no IP address as its host; use http://{HOST}:<port>"
        ) from None
    return {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,  # boto3 reads no other
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "3",
        "AWS_PAGER": "",
        "CHECKPOINT_DISABLE": "1",
        "NO_PROXY": ",".join(filter(None, (host, env.get("NO_PROXY") or env.get("no_proxy")))),
    }


def unset(env: Mapping[str, str]) -> list[str]:
    """The variables of `env` that would lead away from the emulator, sorted.

    They are every other AWS_* one: AWS_PROFILE, AWS_SESSION_TOKEN, AWS_CA_BUNDLE (which fails
    where the file is missing), AWS_ENDPOINT_URL_S3 and its like, AWS_USE_FIPS_ENDPOINT, ...;
    and `no_proxy`, which some programs prefer to NO_PROXY.
    """
    ours = environment(f"http://{HOST}:1", env=env)
    return sorted(
        name for name in env if name not in ours and (name.startswith("AWS_") or name == "no_proxy")
    )


def _require_localstack() -> None:
    if importlib.util.find_spec("localstack") is None:
        raise UserError("LocalStack is not installed; install this package's extra `local`")


def _free_port() -> int:
    if _is_free(PREFERRED_PORT):
        return PREFERRED_PORT
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError):
            return False
    return True


def _await_free(port: int) -> None:
    deadline = time.monotonic() + _SECONDS_TO_LET_GO
    while not _is_free(port) and time.monotonic() < deadline:
        time.sleep(_SECONDS_BETWEEN_PROBES)


def _require_free(port: int) -> None:
    deadline = time.monotonic() + _SECONDS_TO_FREE_A_PORT
    while not _is_free(port):
        if time.monotonic() > deadline:
            raise UserError(
                f"port {port} on {HOST} is taken or not allowed; "
                "name another: tools local up --port N"
            )
        time.sleep(_SECONDS_BETWEEN_PROBES)


def _services(port: int) -> dict[str, str]:
    """The services that an emulator on `port` says it has; none while it does not answer."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"http://{HOST}:{port}/_localstack/health", timeout=5) as answer:
            return dict(json.load(answer)["services"])
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return {}


def _require_loopback_only(pid: int, port: int) -> None:
    listening = processes.listening(pid)
    exposed = sorted(f"{ip}:{number}" for ip, number in listening if ip != HOST)
    if exposed:
        raise UserError(
            f"LocalStack was ended: it listens on {', '.join(exposed)}, not on {HOST} alone; "
            "install the versions of requirements/all.txt"
        )
    if (HOST, port) not in listening:
        raise UserError(f"another program took port {port} while LocalStack started; try again")


def _require_pages_refused(port: int) -> None:
    health = f"http://{HOST}:{port}/_localstack/health"
    of_a_page = urllib.request.Request(health, headers={"Host": "a-page.example"})
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        direct.open(of_a_page, timeout=30).close()
    except urllib.error.HTTPError as refusal:
        if refusal.code == http.HTTPStatus.FORBIDDEN:
            return
    raise UserError(
        "LocalStack was ended: it answers pages in a browser; "
        "install the versions of requirements/all.txt"
    )


def _end(pid: int) -> None:
    """Kills the session that `pid` leads, which has nothing to save. Harmless where it is gone."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    while processes.started(pid) is not None:
        time.sleep(_SECONDS_BETWEEN_PROBES)
