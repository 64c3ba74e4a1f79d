"""What Jupyter says of its kernels and terminals."""

import contextlib
import json
import signal
import ssl
import urllib.error
import urllib.request
from typing import Any, Dict, FrozenSet, Iterator, List, NamedTuple, NoReturn, Tuple

Stamps = FrozenSet[Tuple[str, str, str]]


class Jupyter(NamedTuple):
    """What one poll saw: kernels as id to state and to name, and (kind, id, last_activity) stamps.

    `unknown` is why Jupyter does not say when its terminals were used, empty if it does.
    """

    states: Dict[str, str]
    names: Dict[str, str]
    counts: str
    stamps: Stamps
    unknown: str


def look(url: str, seconds: float) -> Jupyter:
    """Asks the Jupyter at `url`. Raises what `ask` raises, and more, if kernels stay unknown."""
    kernels = {kernel["id"]: kernel for kernel in ask(url, "kernels", seconds)}
    stamps = [("kernel", key, str(k.get("last_activity"))) for key, k in kernels.items()]
    try:
        terminals, unknown = look_at_terminals(url, seconds)
        stamps += [("terminal", t["name"], str(t.get("last_activity"))) for t in terminals]
        count = "{} terminals".format(len(terminals))
    except Exception as error:
        count, unknown = "unknown terminals", "/api/terminals: {!r}".format(error)
    names = look_at_names(url, seconds)
    return Jupyter(
        states={key: str(k.get("execution_state")) for key, k in kernels.items()},
        names={key: names.get(key, key) for key in kernels},
        counts="{} kernels, {}".format(len(kernels), count),
        stamps=frozenset(stamps),
        unknown=unknown,
    )


def look_at_terminals(url: str, seconds: float) -> Tuple[List[Any], str]:
    """The terminals, and why it is not known when they were used. Raises what `ask` raises."""
    try:
        terminals = ask(url, "terminals", seconds)
    except urllib.error.HTTPError as error:
        if error.code != 404:  # terminals are switched off
            raise
        terminals = []
    if not isinstance(terminals, list):
        raise TypeError("no list")
    ageless = [terminal["name"] for terminal in terminals if not terminal.get("last_activity")]
    return terminals, "terminal {} has no last_activity".format(ageless[0]) if ageless else ""


def look_at_names(url: str, seconds: float) -> Dict[str, str]:
    """Kernels' ids to the paths of their notebooks: for the log alone, so that it never fails."""
    try:
        sessions = ask(url, "sessions", seconds)
        return {s["kernel"]["id"]: str(s["path"]) for s in sessions if s.get("kernel")}
    except Exception:
        return {}


def ask(url: str, what: str, seconds: float) -> Any:
    """What /api/`what` answers, from JSON, within `seconds`."""
    # The certificate is the instance's own, and a proxy does not know this machine's localhost.
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusting)
    )
    # Without no_track_activity this question would itself be activity.
    address = "{}/api/{}?no_track_activity=1".format(url.rstrip("/"), what)
    with deadline(seconds), opener.open(address, timeout=seconds) as answer:
        return json.loads(answer.read().decode())


@contextlib.contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Ends what runs inside with TimeoutError: a socket's own timeout never ends a slow drip."""

    def expire(*_: object) -> NoReturn:
        raise TimeoutError("no answer in {:g} s".format(seconds))

    signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
