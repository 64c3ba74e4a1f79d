"""Runs `tools` in processes that need not import anything first.

To start Python and to import `tools` and boto3 is most of the work of a short command. One process
beside each pytest process does it once, and forks for each command. That has its own arguments,
environment, working directory and streams, and ends as Python ends; nothing is left of an earlier
command, since none has run in the process that forks.

What the start itself is about starts a process: `Checkout.run` and `Checkout.start`.
"""

import gc
import importlib
import json
import os
import pkgutil
import selectors
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from multiprocessing import get_context
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from tests.trees import REPOSITORY

TOOLS = Path(sys.executable).with_name("tools")
MAIN = "tools.__main__:main"
# What Python or libc has read of the environment before a command can be given another one.
_AT_START = ("COVERAGE", "LANG", "LC_", "LD_", "MALLOC", "PYTHON", "TZ")
_BYTES = 65536
_SECONDS_TO_END = 10
_lock = threading.Lock()


def run(
    arguments: Sequence[str], cwd: Path, env: Mapping[str, str], main: str = MAIN
) -> "subprocess.CompletedProcess[str]":
    """Runs `tools` to its end, with nobody there to answer a question.

    `main` is another function to call in place of its own: "module:function".
    """
    assert _at_start(env) == _at_start(os.environ), "start a process of its own: Checkout.run"
    command = [str(TOOLS), *arguments]
    request = {"argv": command, "cwd": str(cwd), "env": dict(env), "main": main}
    pipes = [os.pipe() for _ in range(3)]
    ours, theirs = zip(*pipes, strict=True)
    with _lock:
        _ask(_server().socket, json.dumps(request).encode(), theirs)
    for file in theirs:
        os.close(file)
    out, error, code = _read_all(ours)
    if not code:
        raise RuntimeError(f"the process that forks for {command} has ended")
    return subprocess.CompletedProcess(command, int(code), out, error)


def _at_start(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name.startswith(_AT_START)}


class _Server:
    """The process that forks. It ends when the socket is closed, as at this one's end."""

    def __init__(self) -> None:
        self.socket, its = socket.socketpair()
        with its:
            # Not by -m: click says how a program was started where it says its name.
            self._process = subprocess.Popen(
                [sys.executable, "-c", f"from tests import warm; warm.serve({its.fileno()})"],
                cwd=REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[its.fileno()],
            )

    def end(self) -> None:
        self.socket.close()
        with suppress(subprocess.TimeoutExpired):  # tests.children.end_all ends it then
            self._process.wait(_SECONDS_TO_END)


@cache
def _server() -> _Server:
    return _Server()


def end() -> None:
    """Ends the process that forks, if there is one."""
    if _server.cache_info().currsize:
        _server().end()
        _server.cache_clear()


def _ask(server: socket.socket, request: bytes, files: Sequence[int]) -> None:
    socket.send_fds(server, [len(request).to_bytes(8, "big")], files)
    server.sendall(request)


def _read_all(files: Sequence[int]) -> list[str]:
    """What comes out of the pipes until all are closed, as subprocess gives text; closes them."""
    read = {file: bytearray() for file in files}
    with selectors.DefaultSelector() as selector:
        for file in files:
            selector.register(file, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select():
                content = os.read(key.fd, _BYTES)
                read[key.fd] += content
                if not content:
                    selector.unregister(key.fd)
                    os.close(key.fd)
    texts = (content.decode() for content in read.values())
    return [text.replace("\r\n", "\n").replace("\r", "\n") for text in texts]


def serve(number: int) -> None:
    """Forks for each request on the socket `number`, until that is closed."""
    _import_all()
    gc.freeze()
    running: dict[int, tuple[BaseProcess, int]] = {}
    with suppress(KeyboardInterrupt), socket.socket(fileno=number) as asked:
        while True:
            for ready in wait([asked, *running]):
                if ready is not asked:
                    process, code = running.pop(ready)
                    process.join()
                    os.write(code, str(process.exitcode).encode())
                    os.close(code)
                    continue
                header, files, _, _ = socket.recv_fds(asked, 8, 3)
                if not header:
                    for process, _ in running.values():  # of tests that were interrupted
                        process.terminate()
                    return
                size = int.from_bytes(header, "big")
                request = json.loads(asked.recv(size, socket.MSG_WAITALL))
                unused = [number, *running, *(code for _, code in running.values())]
                process = get_context("fork").Process(target=_become, args=(request, files, unused))
                process.start()
                *streams, code = files
                for file in streams:
                    os.close(file)
                running[process.sentinel] = process, code


def _import_all() -> None:
    """Imports what commands import, also where they do so late, and what boto3 does so."""
    import boto3

    import tools

    for room in pkgutil.iter_modules(tools.__path__, "tools."):
        # emulator/ runs in LocalStack alone, and __main__ as the program.
        if room.name.endswith((".emulator", ".__main__")):
            continue
        module = importlib.import_module(room.name)
        for found in pkgutil.walk_packages(getattr(module, "__path__", []), f"{room.name}."):
            importlib.import_module(found.name)
    for service in ("s3", "sts", "sagemaker"):
        boto3.client(service, "us-east-1", aws_access_key_id="none", aws_secret_access_key="none")


def _become(request: Mapping[str, Any], files: Sequence[int], unused: Sequence[int]) -> None:
    """Makes a fork what the program would be after its start, and runs it."""
    os.dup2(files[0], 1)
    os.dup2(files[1], 2)
    for file in (*files, *unused):
        os.close(file)
    # Opened as Python does at its start: it notes that a pipe cannot seek.
    encoding, errors = sys.stdout.encoding, sys.stdout.errors
    sys.stdout = open(1, "w", encoding=encoding, errors=errors, closefd=False)  # noqa: SIM115
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    sys.argv[:] = request["argv"]
    sys.path[0] = str(TOOLS.parent)
    gc.unfreeze()
    module, _, function = request["main"].partition(":")
    sys.exit(getattr(importlib.import_module(module), function)())
