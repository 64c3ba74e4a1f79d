"""Keeps these tests quick: what starts Terraform or LocalStack has its place in another folder."""

import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import JSONFileLoader

from tools.hcl import cache as parsed

_STOPS = "tests/unit starts no {}: `make check` runs without; put the test into another folder"
_guarding = False


def _refuse_localstack(event: str, arguments: tuple[Any, ...]) -> None:
    if _guarding and event == "subprocess.Popen":
        words = [str(word) for word in arguments[1]]
        if any("localstack" in word or word == "tools.emulator.server" for word in words):
            raise RuntimeError(_STOPS.format("LocalStack"))


sys.addaudithook(_refuse_localstack)


@pytest.fixture(scope="session", autouse=True)
def botocore_reads_a_file_once() -> Iterator[None]:
    """Keeps what botocore reads from its own files: each session of it would read them again."""
    with pytest.MonkeyPatch.context() as patch:
        load = cache(JSONFileLoader().load_file)
        patch.setattr(JSONFileLoader, "load_file", lambda _, path: load(path))
        yield


@pytest.fixture(scope="session")
def no_terraform(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a terraform and a tofu that only say that they must not be started."""
    folder = tmp_path_factory.mktemp("no-terraform")
    for name in ("terraform", "tofu"):
        program = folder / name
        program.write_text(f"#!/bin/sh\necho '{_STOPS.format('Terraform')}' >&2\nexit 1\n")
        program.chmod(0o755)
    return folder


@pytest.fixture(autouse=True)
def guard(no_terraform: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Makes each start of Terraform or LocalStack fail, and forgets what tests before have used."""
    global _guarding
    parsed._used.clear()  # otherwise each copy of the repository keeps what all tests before parsed
    monkeypatch.setenv("PATH", str(no_terraform), prepend=":")
    monkeypatch.delenv("TOOLS_TERRAFORM", raising=False)
    _guarding = True
    yield
    _guarding = False


@pytest.fixture(scope="session")
def local_cloud() -> None:
    raise RuntimeError(_STOPS.format("LocalStack"))


@pytest.fixture(scope="session")
def terraform() -> None:
    raise RuntimeError(_STOPS.format("Terraform"))


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """The URL of a server that answers as AWS does, for every service that moto knows."""
    from moto.server import ThreadedMotoServer  # which takes long: not for every test

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()
