"""A real Jupyter server on HTTPS, as a notebook instance runs one, with kernels and terminals."""

import json
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import websocket
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jupyter_client.blocking.client import BlockingKernelClient

from tests.children import marked
from tests.conftest import free_port

PATIENCE = 300.0
"""Seconds after which a wait is given up; no test depends on how long anything takes."""


@dataclass(frozen=True)
class Jupyter:
    """A running server. `url` is HTTPS with the self-signed certificate at `certificate`."""

    url: str
    process: "subprocess.Popen[bytes]"
    folder: Path
    certificate: Path

    def api(self, method: str, path: str, body: object = None) -> Any:
        """What `/api/<path>` answers, from JSON. Raises urllib.error.HTTPError."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/api/{path}", data, method=method)
        trusting = ssl.create_default_context(cafile=str(self.certificate))
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusting)
        )
        with opener.open(request, timeout=PATIENCE) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def open_notebook(self, path: str) -> str:
        """Starts a session with a Python kernel for `path`, as opening it does; the kernel's id."""
        session = self.api(
            "POST",
            "sessions",
            {"path": path, "name": path, "type": "notebook", "kernel": {"name": "python3"}},
        )
        return str(session["kernel"]["id"])

    def start_kernel(self, name: str = "python3") -> str:
        return str(self.api("POST", "kernels", {"name": name})["id"])

    def state(self, kernel: str) -> str:
        return str(self.api("GET", f"kernels/{kernel}")["execution_state"])

    @contextmanager
    def client(self, kernel: str) -> Iterator[BlockingKernelClient]:
        """A client of the kernel that has had its first answer: the kernel is idle."""
        client = BlockingKernelClient(
            connection_file=str(self.folder / "runtime" / f"kernel-{kernel}.json")
        )
        client.load_connection_file()
        # Without the heartbeat, by which wait_for_ready takes a kernel that is slow to answer for
        # a dead one (jupyter_client 8, client.py: "Kernel died before replying").
        client.start_channels(hb=False)
        try:
            client.wait_for_ready(timeout=PATIENCE)
            # Jupyter leaves the kernel at `starting` until it has run something.
            client.execute_interactive("None", timeout=PATIENCE)
            until(lambda: self.state(kernel) == "idle")
            yield client
        finally:
            client.stop_channels()

    @contextmanager
    def socket(self, path: str) -> Iterator[websocket.WebSocket]:
        """An open websocket at `path`, such as a browser tab holds."""
        connection = websocket.create_connection(
            f"{self.url.replace('https', 'wss')}/{path}",
            sslopt={"ca_certs": str(self.certificate)},
            timeout=PATIENCE,
            http_no_proxy=["127.0.0.1"],
        )
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """The server accepts connections and answers none."""
        os.kill(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.process.pid, signal.SIGCONT)

    def clear(self) -> None:
        """Ends every kernel and terminal."""
        for kernel in self.api("GET", "kernels"):
            self.api("DELETE", f"kernels/{kernel['id']}")
        for terminal in self.api("GET", "terminals"):
            self.api("DELETE", f"terminals/{terminal['name']}")


@contextmanager
def running_jupyter(
    folder: Path, *options: str, python: Path = Path(sys.executable)
) -> Iterator[Jupyter]:
    """A Jupyter server with its files in `folder`, open to whoever reaches 127.0.0.1.

    It is the one of the environment of `python`, and its kernels are too. It knows a kernel `stuck`
    that never gets beyond `starting`.
    """
    stuck = folder / "data/kernels/stuck"
    stuck.mkdir(parents=True)
    (stuck / "kernel.json").write_text(
        json.dumps({"argv": ["sleep", "600"], "display_name": "Stuck", "language": "none"})
    )
    for name in ("home", "work"):
        (folder / name).mkdir()
    certificate, key = self_signed(folder)
    port = free_port()
    environment = marked(
        {
            "PATH": os.environ["PATH"],
            "HOME": str(folder / "home"),
            "JUPYTER_CONFIG_DIR": str(folder / "config"),
            "JUPYTER_DATA_DIR": str(folder / "data"),
            "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
            "IPYTHONDIR": str(folder / "ipython"),
        }
    )
    command = [
        *(str(python), "-m", "jupyter_server", "--no-browser", "--allow-root"),
        *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
        *(f"--ServerApp.root_dir={folder / 'work'}", "--ServerApp.token="),
        *("--ServerApp.disable_check_xsrf=True", "--ServerApp.terminado_settings={}"),
        *(f"--ServerApp.certfile={certificate}", f"--ServerApp.keyfile={key}", *options),
    ]
    log = folder / "jupyter.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    jupyter = Jupyter(f"https://127.0.0.1:{port}", process, folder, certificate)

    def answers() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            return bool(jupyter.api("GET", "status"))
        except OSError:
            return False

    try:
        until(answers)
        yield jupyter
    finally:
        process.terminate()
        process.wait(PATIENCE)


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that no authority vouches for, and its key, as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    address = x509.IPAddress(IPv4Address("127.0.0.1"))
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths


def until(condition: Callable[[], bool]) -> None:
    """Returns once `condition` holds; raises AssertionError after PATIENCE seconds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"in vain for {PATIENCE:g} s"
        time.sleep(0.05)
