"""Keeps AWS provider processes running between runs of Terraform.

Terraform starts the provider again for each thing that it needs of it: its schema, the check of
the configuration, the plan. A provider started with `-debug` goes on running, and prints what
Terraform needs in TF_REATTACH_PROVIDERS to use it. Terraform documents that for developing
providers: https://developer.hashicorp.com/terraform/plugin/debugging

A run with a kept provider differs from another in these points. Each was seen with Terraform
1.11.4 and provider 5.100.0 or read at the source named.

- Terraform does not look at `.terraform` and the lock file for this provider: whatever runs is
  used, and neither its version nor its checksum is compared
  (hashicorp/terraform, internal/command/meta_providers.go). So lease the binary that the last init
  of the root has chosen: `find_provider`.
- `terraform init` neither installs a provider that the variable names nor puts it into the lock
  file. Give the variable to plan, apply, destroy, import, refresh, show, validate and console
  alone. `terraform version -json` goes by the lock file, with and without.
- Terraform prints no warning about it. (It does for `dev_overrides`, which is something else.)
- One process serves one run at a time, and one configuration of the provider. In a root with two
  `provider "aws"` blocks (an `alias`) both may get the region and account of either: one data
  source of two answered with the other region here
  (https://github.com/hashicorp/terraform-plugin-framework/issues/490). Do not use it there.
- The provider reads its environment when it starts, and not that of the run: hence `lease` takes
  the run's environment, and gives it a provider that was started in the same one.
- Its working directory is an empty one, not the root: a relative path that the provider itself
  opens, such as `source` of aws_s3_object, is not found. Terraform's own functions, such as
  file(), are not concerned.
- What the provider logs (TF_LOG_PROVIDER) is not in Terraform's log.
- A run that is killed leaves the provider running. Its calls are cancelled when the connection
  ends, as gRPC does it, but not awaited: a provider whose run ends with an exception is ended.
- Terraform goes on when the process that started it is killed, and needs its provider until it
  ends: let it inherit the lease's `descriptor`.
"""

import json
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from os import killpg
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from tools.errors import UserError

VARIABLE = "TF_REATTACH_PROVIDERS"

_PRINTED = re.compile(rf"{VARIABLE}='(.*)'")

# The provider gives up when it has not begun to listen after 2 seconds (terraform-plugin-go,
# tfprotov5/tf5server/server.go), which happens on a busy machine: it is started again until then.
_SECONDS_TO_START = 60.0
_SECONDS_TO_END = 10.0

# What Terraform or a shell reads and the provider does not. A name that is missing here costs
# another start of the provider; one too many would give a run a provider that differs.
_NOT_THE_PROVIDERS = re.compile(
    r"TF_(VAR|CLI|PLUGIN)_.*|TF_(DATA_DIR|WORKSPACE|INPUT|IN_AUTOMATION)"
    rf"|CHECKPOINT_DISABLE|{VARIABLE}|PWD|OLDPWD|SHLVL|_"
)

# Outside of Terraform the provider logs thousands of lines a run, at its lowest level, if nobody
# says otherwise: https://developer.hashicorp.com/terraform/plugin/log/managing
_QUIET = {"TF_LOG_SDK": "OFF"}

# Runs between the keeper and the provider: it ends the provider when its standard input ends,
# which the system sees to however the keeper, and the Terraform that has the lease, end, by SIGKILL
# too. (PR_SET_PDEATHSIG is Linux's
# alone, and goes by the thread that started the process.) It is the provider's parent, so it cannot
# end a stranger that got the same process id. A child of a shell's background job would ignore
# SIGINT: the signals get their defaults back before the provider starts.
_GUARD = f"""
import os, shutil, signal, subprocess, sys, threading

directory, *command = sys.argv[1:]
provider = None
asked_to_end = threading.Event()

def end(*_):
    asked_to_end.set()
    if provider:
        provider.terminate()

signal.signal(signal.SIGINT, signal.SIG_DFL)
signal.signal(signal.SIGTERM, end)
try:
    provider = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if asked_to_end.is_set():
        provider.terminate()

    def end_with_the_keeper():
        os.read(0, 1)
        end()
        try:
            provider.wait({_SECONDS_TO_END / 2})
        except subprocess.TimeoutExpired:
            provider.kill()

    threading.Thread(target=end_with_the_keeper, daemon=True).start()
    # The keeper's end of the pipe may go before the Terraform that has the lease: without anybody
    # to read it, the provider would end at its next line.
    for line in provider.stdout:
        try:
            os.write(1, line)
        except OSError:
            pass
    provider.wait()
finally:
    shutil.rmtree(directory, ignore_errors=True)
"""


def find_provider(folder: Path, address: str, version: str, platform: str) -> Path | None:
    """The unpacked provider binary in `folder`, with links followed; None if there is none.

    `folder` is a root's `.terraform/providers` or a filesystem mirror. `address` is such as
    registry.terraform.io/hashicorp/aws, `platform` such as linux_amd64.
    """
    binaries = sorted((folder / address / version / platform).glob("terraform-provider-*"))
    return binaries[0].resolve() if binaries else None


class Lease(NamedTuple):
    """What makes one Terraform use a kept provider: its environment, and what it must inherit.

    While a process has `descriptor` open, the provider goes on if the keeper's process is killed.
    """

    env: dict[str, str]
    descriptor: int


class Keeper:
    """At most `size` running providers, each for one Terraform at a time. Safe for threads.

    `close`, which a `with` block calls, ends them. They end too when this process ends without it.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._idle: list[_Provider] = []  # the least recently used first
        self._leased: set[_Provider] = set()
        self._starting = 0
        self._closed = False
        self._changed = threading.Condition()

    @contextmanager
    def lease(self, binary: Path, address: str, env: Mapping[str, str]) -> Iterator[Lease]:
        """Yields `env` with what makes one Terraform run use a kept provider.

        The provider is `binary`, started in `env`; `address` is the one that the root's lock file
        has for it. Waits while all are leased. Raises UserError if the provider does not start.
        """
        provider = self._take(binary, _environment(env))
        try:
            # Others that the caller attaches stay.
            attached = {**json.loads(env.get(VARIABLE, "{}")), address: provider.attachment}
            yield Lease({**env, VARIABLE: json.dumps(attached)}, provider.descriptor)
        except BaseException:
            provider.end()  # what a run that failed may still do with it is not known
            raise
        finally:
            self._give_back(provider)

    def close(self) -> None:
        """Ends every provider, leased or not. Raises nothing when called again."""
        with self._changed:
            self._closed = True
            providers = [*self._idle, *self._leased]
            self._idle.clear()
            self._changed.notify_all()
        for provider in providers:
            provider.end()

    def __enter__(self) -> "Keeper":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _take(self, binary: Path, env: Mapping[str, str]) -> "_Provider":
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._in_use < self._size)
            self._check_open()
            surplus = [provider for provider in self._idle if not provider.answers()]
            self._idle = [provider for provider in self._idle if provider not in surplus]
            for provider in self._idle:
                if provider.is_like(binary, env):
                    self._idle.remove(provider)
                    self._leased.add(provider)
                    return provider
            if len(self._idle) + self._in_use >= self._size:
                surplus.append(self._idle.pop(0))
            self._starting += 1
        started = None
        try:
            for provider in surplus:
                provider.end()
            started = _start(binary, env)
        finally:
            with self._changed:
                self._starting -= 1
                if started and not self._closed:
                    self._leased.add(started)
                self._changed.notify_all()
        if self._closed:
            started.end()
            self._check_open()
        return started

    def _give_back(self, provider: "_Provider") -> None:
        with self._changed:
            self._leased.remove(provider)
            if not self._closed:
                self._idle.append(provider)
            self._changed.notify_all()

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("the keeper is closed")

    @property
    def _in_use(self) -> int:
        return len(self._leased) + self._starting


class _Provider:
    """A provider process and its guard, in a session of their own.

    A terminal's Ctrl-C does not reach them: Terraform, which it does reach, tells the provider.
    """

    def __init__(self, binary: Path, env: Mapping[str, str]) -> None:
        self._binary = binary
        self._env = dict(env)
        # The socket is made there. It takes calls without a key, and only this user may enter.
        directory = tempfile.mkdtemp(prefix="provider-")
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _GUARD, directory, str(binary), "-debug"],
            cwd=directory,
            env={**_QUIET, **env, "TMPDIR": directory},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self.attachment: dict[str, object] | None = None
        self.said: deque[str] = deque(maxlen=20)
        self._known = threading.Event()
        # It reads on to the end: a full pipe would stop the provider.
        threading.Thread(target=self._read, daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """Whether the provider listens, once it does or has ended."""
        return self._known.wait(seconds) and self.attachment is not None

    def is_like(self, binary: Path, env: Mapping[str, str]) -> bool:
        return (self._binary, self._env) == (binary, env)

    @property
    def descriptor(self) -> int:
        """The end of a pipe: the guard ends the provider when no process has it open."""
        assert self._guard.stdin
        return self._guard.stdin.fileno()

    def answers(self) -> bool:
        address = self.attachment["Addr"] if self.attachment else None
        assert isinstance(address, dict)
        try:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(address["String"])
        except OSError:
            return False
        return True

    def end(self) -> None:
        assert self._guard.stdin
        with suppress(OSError):
            self._guard.stdin.close()
        with suppress(ProcessLookupError):  # a child of Terraform's may have inherited the pipe
            self._guard.terminate()
        try:
            self._guard.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                killpg(self._guard.pid, signal.SIGKILL)
            self._guard.wait()

    def _read(self) -> None:
        assert self._guard.stdout
        with self._guard.stdout as output:
            for line in output:
                self.said.append(line.rstrip())
                if self.attachment is None and (printed := _PRINTED.search(line)):
                    # The shell's quoting; the one address is the provider's own idea of it.
                    (self.attachment,) = json.loads(printed[1].replace("'\"'\"'", "'")).values()
                    self._known.set()
        self._known.set()


def _start(binary: Path, env: Mapping[str, str]) -> _Provider:
    until = time.monotonic() + _SECONDS_TO_START
    while True:
        provider = _Provider(binary, env)
        if provider.wait(until - time.monotonic()):
            return provider
        provider.end()
        gave_up = any("timeout waiting on reattach" in line for line in provider.said)
        if not gave_up or time.monotonic() > until:
            said = next((line for line in reversed(provider.said) if line), "nothing")
            raise UserError(f"{binary} -debug did not start; it said: {said}")


def _environment(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if not _NOT_THE_PROVIDERS.fullmatch(name)}
