"""The local cloud: a LocalStack process of a directory, which is started, found and ended."""

import fcntl
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.errors import UserError
from tools.localcloud import ports
from tools.localcloud.ports import HOST
from tools.system import processes

# Read by the SageMaker plugin: how long a notebook instance is Pending, Stopping and so on.
TRANSITION_VARIABLE = "SAGEMAKER_TRANSITION_SECONDS"
# Read by the emulator: the file in which it notes every request, if any.
REQUESTS_VARIABLE = "EMULATOR_REQUESTS_FILE"

# What the Terraform here uses and what a notebook's owner tries first. Each loads when it is
# first called. DynamoDB is missing: LocalStack downloads its engine when it
# starts it (localstack-core 4.13.1, localstack/services/dynamodb/packages.py).
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
# of the caller's it gets these alone: https://docs.localstack.cloud/references/configuration/
KEPT_VARIABLES = (
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "PATH",
    "PYTHONPATH",
    REQUESTS_VARIABLE,
    TRANSITION_VARIABLE,
    "TZ",
)

_SECONDS_BETWEEN_PROBES = 0.1
_SECONDS_TO_START = 300.0  # 4 usually, and far more beside other work on a slow machine


@dataclass(frozen=True)
class Running:
    """An emulator that answers: the id of its process, and its port on 127.0.0.1."""

    pid: int
    port: int

    @property
    def endpoint(self) -> str:
        """The URL for terraform, aws and boto3."""
        return f"http://{HOST}:{self.port}"


class LocalCloud:
    """The emulator of one directory, in which its pid file, log and scratch files are.

    Only the log outlives `down` and `reset`: LocalStack's community edition keeps its resources in
    memory.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory.absolute()
        self.log = self.directory / "localstack.log"
        self._pid_file = self.directory / "localstack.json"
        self._lock_file = self.directory / "lock"
        self._scratch = self.directory / "scratch"
        self._child: subprocess.Popen[bytes] | None = None

    def up(self, port: int | None = None, timeout: float = _SECONDS_TO_START) -> Running:
        """Starts the emulator unless it runs, and returns it.

        By default `port` is 4566 or, if that is taken, any free one. `timeout` is in seconds.
        Raises UserError if the emulator runs on another port already, if `port` is taken, and if
        LocalStack is not installed, ends, or is not ready in time.
        """
        with self._locked():
            running = self.status()
            if running is None:
                return self._start(port or ports.choose_port(), timeout)
            if port not in (None, running.port):
                raise UserError(
                    f"the local cloud already runs on port {running.port}, not {port}; "
                    "end it first: tools local down"
                )
            return running

    def status(self) -> Running | None:
        """The running emulator, or None if there is none, whatever the pid file says."""
        note = processes.read_note(self._pid_file)
        return Running(note["pid"], note["port"]) if note and "port" in note else None

    def down(self) -> bool:
        """Ends the emulator with all that it holds. Returns whether one ran."""
        with self._locked():
            return self._stop() is not None

    def reset(self) -> Running:
        """Starts an empty emulator, on the port of the one that ran.

        Raises UserError as `up` does.
        """
        with self._locked():
            stopped = self._stop()
            return self._start(stopped.port if stopped else ports.choose_port())

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One caller at a time, whatever process or thread it is in."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with self._lock_file.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _start(self, port: int, timeout: float = _SECONDS_TO_START) -> Running:
        _require_localstack()
        ports.require_free(port)
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
            processes.write_note(child.pid, self._pid_file, port=port)
            assert child.stdin is not None
            with child.stdin as parent_is_content:
                parent_is_content.write(b"\n")
        except BaseException:
            _end(child.pid)
            child.wait()
            self._pid_file.unlink(missing_ok=True)
            raise
        self._child = child
        return Running(child.pid, port)

    def _environment(self, port: int) -> dict[str, str]:
        scratch = str(self._scratch)
        return {
            **{name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ},
            "GATEWAY_LISTEN": f"{HOST}:{port}",
            "SERVICES": ",".join(SERVICES),
            "DISABLE_EVENTS": "1",  # telemetry
            # Otherwise it downloads one at start (localstack-core 4.13.1, localstack/utils/ssl.py).
            "SKIP_SSL_CERT_DOWNLOAD": "1",
            "DNS_ADDRESS": "0",  # no DNS server
            # Both: localstack-core 4.13.1, localstack/config.py.
            "OVERRIDE_IN_DOCKER": "0",  # in a container it would use the container's own folders
            "FILESYSTEM_ROOT": scratch,  # the default is a folder inside the installed package
            "CONFIG_DIR": scratch,
            "HOME": scratch,
            "TMPDIR": str(self._scratch / "tmp"),
            "PYTHONUNBUFFERED": "1",
        }

    def _await_ready(self, child: "subprocess.Popen[bytes]", port: int, deadline: float) -> None:
        from tools.localcloud import health  # its HTTP client is a tenth of any command's start

        while not (services := health.read_services(port)):
            if child.poll() is not None:
                raise UserError(f"LocalStack ended while starting: {self._last_words()}")
            if time.monotonic() > deadline:
                raise UserError(f"LocalStack is not ready in time: {self._last_words()}")
            time.sleep(_SECONDS_BETWEEN_PROBES)
        health.require_loopback_only(child.pid, port)
        health.require_pages_refused(port)
        if "sagemaker" not in services:
            raise UserError(
                "LocalStack does not find the SageMaker plugin; install this package again "
                "(make setup), since its entry points are read from the installation"
            )

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
            ports.await_free(running.port)
        self._pid_file.unlink(missing_ok=True)
        self._wipe()
        return running

    def _wipe(self) -> None:
        if self._scratch.exists():
            shutil.rmtree(self._scratch)


def _require_localstack() -> None:
    if importlib.util.find_spec("localstack") is None:
        raise UserError(
            "LocalStack is not installed; run `make setup` in the repository, or install the "
            "checkout there: uv tool install '.[local]' --constraints requirements/local.txt"
        )


def _end(pid: int) -> None:
    """Kills the session that `pid` leads, if it runs; it has nothing to save."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    while processes.start_time(pid) is not None:
        time.sleep(_SECONDS_BETWEEN_PROBES)
