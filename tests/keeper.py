"""Terraform with a provider that keeps running, for tests that are not about how it starts.

Use the fixture `kept_terraform` (tests/conftest.py). It is the session's Terraform with another
program as its binary, which leases a provider and becomes Terraform: pass `binary` to the harness,
or name it in TOOLS_TERRAFORM for `tools`, whose Terraforms run at the same time. A run gets a
provider that was started in its own environment, so trees with accounts of their own can share it.

Not for tests about init, lock files or versions, nor for those that kill Terraform, nor for roots
with more than one configuration of the provider: tools/terraform/keeper.py says why.
"""

import json
import shlex
import shutil
import socketserver
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tests import kept_terraform
from tools.terraform.binary import Terraform
from tools.terraform.installation import BINARY_VARIABLE
from tools.terraform.keeper import VARIABLE, Keeper
from tools.terraform.warm import find_installed

# With a provider attached, `tools` keeps none of its own.
_ATTACHED = {VARIABLE: "{}"}
SIZE = 2  # providers: about 450 MB each, besides the program itself, which they share


@contextmanager
def kept(terraform: Terraform, size: int = SIZE) -> Iterator[Terraform]:
    """Yields `terraform` with a binary that uses kept providers, `size` at a time at most."""
    # Short, since the path of a socket may have 104 bytes on macOS, and pytest's are longer.
    directory = Path(tempfile.mkdtemp(prefix="kept-"))
    try:
        with Keeper(size) as keeper, _Server(directory / "socket", keeper, terraform) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            try:
                env = {**terraform.env, **_ATTACHED}
                yield replace(terraform, binary=_write_program(directory, terraform), env=env)
            finally:
                server.shutdown()
    finally:
        shutil.rmtree(directory)


def attached_providers(terraform: Terraform) -> dict[str, str]:
    """What says in an environment that the providers of `terraform` are kept, if they are."""
    return _ATTACHED if VARIABLE in terraform.env else {}


def kept_env(kept_terraform: Terraform) -> dict[str, str]:
    """What has `tools` run `kept_terraform`."""
    return {BINARY_VARIABLE: str(kept_terraform.binary), **attached_providers(kept_terraform)}


def _write_program(directory: Path, terraform: Terraform) -> Path:
    # By way of sh: the path of a venv's Python can be longer than a #! line may be.
    program = directory / terraform.program
    command = [sys.executable, "-I", "-S", kept_terraform.__file__, str(directory / "socket")]
    program.write_text(f'#!/bin/sh\nexec {shlex.join([*command, str(terraform.binary)])} "$@"\n')
    program.chmod(0o755)
    if terraform.program != "terraform":  # what a person types in a test means this one
        (directory / "terraform").symlink_to(program)
    return program


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, path: Path, keeper: Keeper, terraform: Terraform) -> None:
        super().__init__(str(path), _Lease)
        self.keeper = keeper
        self.platform = terraform.platform


class _Lease(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        asked = json.loads(self.rfile.readline())
        # pytest's own is another one in each test.
        env = {name: v for name, v in asked["env"].items() if not name.startswith("PYTEST_")}
        installed = find_installed(Path(asked["root"]), self.server.platform)
        if installed is None:
            self._answer({})  # Terraform says what is missing, or starts what it needs
            return
        binary, address = installed
        with self.server.keeper.lease(binary, address, env) as lease:
            self._answer({VARIABLE: lease.env[VARIABLE]})
            self.rfile.read()  # until Terraform ends

    def _answer(self, variables: Mapping[str, str]) -> None:
        self.wfile.write(json.dumps(variables).encode() + b"\n")
