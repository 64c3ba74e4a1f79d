"""Stops this SageMaker notebook instance once nothing has happened in Jupyter for a while.

Runs as root under systemd, on the system's Python (3.6 or later) and its standard library.

Activity is a busy kernel, or a `last_activity` of a kernel or terminal that was not there at the
poll before. Jupyter's stamps are compared with each other and never with a clock, and durations
are monotonic: neither a time zone nor a clock that is set late makes a notebook look idle.
A kernel in any state but busy ages, one stuck in `starting` too. Open connections do not count.

A Jupyter that does not answer is neither: it is waited for as long as an idle one, counted from its
last answer, since it may be busy, or dead while the bill runs on.
"""

import argparse
import contextlib
import json
import logging
import os
import signal
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from typing import Any, Callable, Dict, FrozenSet, Iterator, List, NamedTuple, NoReturn, Tuple

LOG = logging.getLogger("autostop")

# Silence counts only after this many polls in a row: one may be a restart of Jupyter.
SILENT_POLLS = 3

# What lies in the user's home runs as the user: as root it would lend the user root's rights.
AWS_COMMANDS = (
    ["aws"],
    ["runuser", "-u", "ec2-user", "--", "/home/ec2-user/anaconda3/bin/aws"],
    ["runuser", "-u", "ec2-user", "--", "/home/ec2-user/anaconda3/envs/JupyterSystemEnv/bin/aws"],
)


class Jupyter(NamedTuple):
    """What one poll saw: names of busy kernels, counts, and (kind, id, last_activity) stamps."""

    busy: List[str]
    kernels: int
    terminals: int
    stamps: FrozenSet[Tuple[str, str, str]]


class Watch:
    """How long nothing has happened; `now` is monotonic seconds."""

    def __init__(self, now: float) -> None:
        self.active = now
        self.answered = now
        self.silent_polls = 0
        self.stamps: FrozenSet[Tuple[str, str, str]] = frozenset()

    def saw(self, jupyter: Jupyter, now: float) -> Tuple[float, str]:
        """Seconds without activity, and why."""
        if jupyter.busy or jupyter.stamps - self.stamps:
            self.active = now
        self.answered, self.silent_polls, self.stamps = now, 0, jupyter.stamps
        seen = "{} kernels, {} terminals".format(jupyter.kernels, jupyter.terminals)
        busy = ", busy: " + ", ".join(jupyter.busy) if jupyter.busy else ""
        return now - self.active, seen + busy

    def heard_nothing(self, error: Exception, now: float) -> Tuple[float, str]:
        """Seconds of silence that count as idle, and why."""
        self.silent_polls += 1
        silence = now - self.answered if self.silent_polls >= SILENT_POLLS else 0.0
        return silence, "Jupyter does not answer ({!r})".format(error)


def look(url: str, seconds: float) -> Jupyter:
    """Asks the Jupyter at `url`, all in `seconds`. Raises what sockets, HTTP and JSON raise."""
    with deadline(seconds):
        sessions = ask(url, "sessions", seconds)
        kernels = {kernel["id"]: kernel for kernel in ask(url, "kernels", seconds)}
        try:
            terminals = ask(url, "terminals", seconds)
        except urllib.error.HTTPError as error:
            if error.code != 404:  # terminals are switched off
                raise
            terminals = []
    paths = {s["kernel"]["id"]: str(s.get("path")) for s in sessions if s.get("kernel")}
    stamps = [("kernel", key, str(k.get("last_activity"))) for key, k in kernels.items()]
    stamps += [("terminal", t["name"], str(t.get("last_activity"))) for t in terminals]
    return Jupyter(
        busy=[paths.get(k, k) for k, v in kernels.items() if v.get("execution_state") == "busy"],
        kernels=len(kernels),
        terminals=len(terminals),
        stamps=frozenset(stamps),
    )


def ask(url: str, what: str, seconds: float) -> Any:
    # The certificate is the instance's own, and a proxy does not know this machine's localhost.
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusting)
    )
    # Without no_track_activity this question would itself be activity.
    address = "{}/api/{}?no_track_activity=1".format(url.rstrip("/"), what)
    with opener.open(address, timeout=seconds) as answer:
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


def kept(path: str, seconds: float) -> bool:
    """Whether the keep-alive file is younger than `seconds`; a date to come prolongs it."""
    try:
        return time.time() - os.stat(path).st_mtime < seconds
    except OSError:
        return False


def stop(metadata_path: str) -> str:
    """Asks SageMaker to stop this instance and says how. Raises RuntimeError with every refusal.

    https://docs.aws.amazon.com/sagemaker/latest/dg/nbi-metadata.html
    """
    try:
        with open(metadata_path) as file:
            metadata = json.load(file)
        name, region = metadata["ResourceName"], metadata["ResourceArn"].split(":")[3]
    except Exception as error:
        raise RuntimeError("{}: {!r}".format(metadata_path, error)) from error
    means: List[Tuple[str, Callable[[str, str], None]]] = [("boto3", stop_by_boto3)]
    means += [(command[-1], by_command(command)) for command in AWS_COMMANDS]
    refusals = []
    for label, ask_to_stop in means:
        try:
            ask_to_stop(name, region)
        except Exception as error:
            refusals.append("{}: {}".format(label, error))
        else:
            return "{} in {}, through {}".format(name, region, label)
    raise RuntimeError("; ".join(refusals))


def stop_by_boto3(name: str, region: str) -> None:
    import boto3
    from botocore.config import Config

    patience = Config(connect_timeout=10, read_timeout=30, retries={"max_attempts": 2})
    client = boto3.client("sagemaker", region_name=region, config=patience)
    client.stop_notebook_instance(NotebookInstanceName=name)


def by_command(command: List[str]) -> Callable[[str, str], None]:
    def stop_by_command(name: str, region: str) -> None:
        arguments = ["sagemaker", "stop-notebook-instance", "--notebook-instance-name", name]
        result = subprocess.run(
            [*command, *arguments, "--region", region],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=120,
        )
        if result.returncode:
            reason = " ".join(result.stderr.decode(errors="replace").split())
            raise RuntimeError(reason or "exit code {}".format(result.returncode))

    return stop_by_command


def poll(watch: Watch, args: argparse.Namespace) -> bool:
    """Looks once, logs one line, and stops the instance where it is due. True once that is done."""
    try:
        jupyter = look(args.url, args.timeout_seconds)
    except Exception as error:  # whatever it answers, the watch goes on
        idle, reason = watch.heard_nothing(error, time.monotonic())
    else:
        idle, reason = watch.saw(jupyter, time.monotonic())
    reason = "idle {:.0f} of {:g} s: {}".format(idle, args.idle_seconds, reason)
    if idle < args.idle_seconds:
        LOG.info("running on, %s", reason)
    elif kept(args.keep_alive, args.keep_alive_seconds):
        LOG.info("kept alive by %s, %s", args.keep_alive, reason)
    else:
        try:
            LOG.info("stopping %s; %s", stop(args.metadata), reason)
            return True
        except RuntimeError as refusals:
            LOG.error("cannot stop, %s; tried %s", reason, refusals)
    return False


def settings() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Stops this notebook instance when idle.")
    seconds: Dict[str, Any] = {"type": float, "metavar": "S"}
    parser.add_argument("--idle-seconds", required=True, **seconds)
    parser.add_argument("--poll-seconds", default=60, **seconds)
    parser.add_argument("--timeout-seconds", default=20, **seconds)
    parser.add_argument("--settle-seconds", default=600, help="wait after a stop", **seconds)
    parser.add_argument("--keep-alive-seconds", default=24 * 3600, **seconds)
    parser.add_argument("--keep-alive", default="/home/ec2-user/SageMaker/.keep-alive")
    parser.add_argument("--metadata", default="/opt/ml/metadata/resource-metadata.json")
    parser.add_argument("--url", default="https://localhost:8443")
    # CloudWatch keeps this log; the journal is gone with the instance.
    parser.add_argument("--log", default="/var/log/jupyter.log")
    return parser.parse_args()


class Appender(logging.Handler):
    """Adds lines to a file that is there: Jupyter's log is not ours to create or to keep open."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError):
            existing = os.open(self.path, os.O_WRONLY | os.O_APPEND)
            with open(existing, "a", encoding="utf-8") as file:
                file.write(self.format(record) + "\n")


def log_to(path: str) -> None:
    """Lines in UTC to stderr (the journal) and to `path`."""
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(
        level=logging.INFO,
        handlers=[logging.StreamHandler(), Appender(path)],
        format="%(asctime)sZ autostop: %(message)s",
        datefmt="%Y-%m-%dT%H:%M:%S",
    )


def main() -> NoReturn:
    args = settings()
    log_to(args.log)
    watch = Watch(time.monotonic())
    while True:
        stopped = poll(watch, args)
        time.sleep(args.settle_seconds if stopped else args.poll_seconds)


if __name__ == "__main__":
    main()
