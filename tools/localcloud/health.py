"""What an emulator answers, and to whom: checked before anybody is told of it."""

import http
import http.client
import json
import urllib.error
import urllib.request

from tools.errors import UserError
from tools.localcloud.ports import HOST
from tools.system import processes

# Past any proxy of the user's, which urllib reads from http_proxy:
# https://docs.python.org/3/library/urllib.request.html#urllib.request.ProxyHandler
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def read_services(port: int) -> dict[str, str]:
    """The services of the emulator on `port`, name to status; none while it does not answer."""
    try:
        with _DIRECT.open(_health_url(port), timeout=5) as answer:
            return dict(json.load(answer)["services"])
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return {}


def require_loopback_only(pid: int, port: int) -> None:
    """Raises UserError if other machines could reach the process, or if the port is another's."""
    listening = processes.listening_addresses(pid)
    exposed = sorted(f"{ip}:{number}" for ip, number in listening if ip != HOST)
    if exposed:
        raise UserError(
            f"LocalStack was ended: it listens on {', '.join(exposed)}, not on {HOST} alone; "
            "install the versions of requirements/local.txt"
        )
    if (HOST, port) not in listening:
        raise UserError(f"another program took port {port} while LocalStack started; try again")


def require_pages_refused(port: int) -> None:
    """Raises UserError if a page in a browser could use the emulator (docs/security.md)."""
    of_a_page = urllib.request.Request(_health_url(port), headers={"Host": "a-page.example"})
    try:
        _DIRECT.open(of_a_page, timeout=30).close()
    except urllib.error.HTTPError as refusal:
        if refusal.code == http.HTTPStatus.FORBIDDEN:
            return
    raise UserError(
        "LocalStack was ended: it answers pages in a browser; "
        "install the versions of requirements/local.txt"
    )


def _health_url(port: int) -> str:
    """Returns the address of the page that says which services LocalStack has.

    https://docs.localstack.cloud/references/internal-endpoints/
    """
    return f"http://{HOST}:{port}/_localstack/health"
