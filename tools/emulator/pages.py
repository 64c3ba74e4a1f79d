"""Requests that a page in a browser makes, refused: no website drives the local cloud.

LocalStack's own rule looks at Origin and Referer, and not for S3. A page can leave both out of a
GET, and a name of the page's own that leads to 127.0.0.1 makes the emulator its own origin.
https://owasp.org/www-community/attacks/csrf
https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site
"""

import ipaddress
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

# LocalStack's name for this machine, in public DNS; its S3 knows <bucket>.s3.<name>.
_OWN_NAMES = ("localhost", "localhost.localstack.cloud")


def install() -> None:
    """Has LocalStack refuse the requests of pages; called as LocalStack starts.

    From a hook in `localstack.hooks.on_infra_start`.
    """
    from localstack.aws import handlers

    before_anything_is_served: Any = handlers.preprocess_request
    before_anything_is_served.handlers.insert(0, _refuse)


def complaint(headers: Mapping[str, str]) -> str | None:
    """Why a request with `headers` is a page's; None for a program's or a person's own."""
    site = headers.get("Sec-Fetch-Site", "none")
    if site != "none":
        return f"a page in a browser has made it (Sec-Fetch-Site: {site})"
    for name in ("Origin", "Referer"):
        if name in headers:
            return f"a page in a browser has made it ({name}: {headers[name]})"
    host = headers.get("Host", "")
    if host and not _is_own(host):
        return f"it is for another host ({host})"
    return None


def _is_own(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return any(name == own_name or name.endswith(f".{own_name}") for own_name in _OWN_NAMES)


def _refuse(chain: Any, context: Any, response: Any) -> None:
    reason = complaint(context.request.headers)
    if reason:
        response.status_code = 403
        response.data = f"The local cloud refuses this request: {reason}.\n"
        chain.terminate()  # LocalStack's response handlers would allow the page its origin
