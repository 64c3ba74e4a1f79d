"""The checks of the machine; a registry that nobody can reach is a port where nothing listens."""

import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.unit.engine.fake_terraform import FakeTerraform
from tools.doctor import machine


@dataclass(frozen=True)
class Elsewhere(FakeTerraform):
    """Its registry is at `address`."""

    address: str = "127.0.0.1:1"

    @property
    def registry(self) -> str:
        return self.address


@pytest.fixture
def terraform(tmp_path: Path) -> Elsewhere:
    return Elsewhere(**vars(FakeTerraform.at(tmp_path)))


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that does not speak TLS."""
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_registry_that_cannot_be_reached(terraform: Elsewhere, silent: str) -> None:
    for address in ("127.0.0.1:1", silent):
        check = machine.check_provider(replace(terraform, downloads=True, address=address))
        assert check.status == "error"
        assert f"{address}, which cannot be reached" in check.detail
        assert "provider-installation" in check.mend


def test_the_mirror_in_use_is_named(terraform: Elsewhere, tmp_path: Path) -> None:
    check = machine.check_provider(replace(terraform, found_mirror=tmp_path))
    assert (check.status, check.detail) == (
        "ok",
        f"the AWS provider comes from the folder {tmp_path}",
    )


def test_the_user_s_own_settings_are_theirs(terraform: Elsewhere) -> None:
    check = machine.check_provider(terraform)
    assert check.status == "ok"
    assert "where Terraform's own settings say" in check.detail


@pytest.mark.parametrize(
    ("free", "status"),
    [(9_000_000, "error"), (1_900_000_000, "warning"), (2_100_000_000, "ok")],
)
def test_room_for_a_state_and_for_a_provider(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, status: str
) -> None:
    """A provider is 675 MB unpacked, and plan files and a second version lie beside it."""
    usage = type("Usage", (), {"free": free})
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda root: usage)
    assert machine.check_disk(tmp_path).status == status
