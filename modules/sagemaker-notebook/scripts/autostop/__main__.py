"""Stops this SageMaker notebook instance once nothing has happened on it for a while.

Runs as root under systemd, on the system's Python (3.6 or later) and its standard library.

Activity is a busy kernel, a `last_activity` of a kernel or terminal that was not there at the poll
before, and, with --processes, a process of the user's that works. Jupyter's stamps are compared
with each other and never with a clock, and durations are monotonic: neither a time zone nor a clock
that is set late makes a notebook look idle. Open connections do not count.

Before it stops the instance it asks each kernel itself, since Jupyter may call one idle that runs a
cell: jupyter_server before 2.15 does (https://github.com/jupyter-server/jupyter_server/pull/1429).

A Jupyter that does not answer is neither busy nor idle: it is waited for as long as an idle one,
counted from its last answer, since it may be busy, or dead while the bill runs on.
"""

import argparse
import contextlib
import logging
import os
import time
from typing import Any, Dict, FrozenSet, List, NoReturn, Optional, Tuple

from jupyter import Jupyter, Stamps, look
from kernels import Questions
from machine import Uses, at_work, terminals, uses
from stopping import stop

LOG = logging.getLogger("autostop")

# Silence counts only after this many polls in a row: one may be a restart of Jupyter.
SILENT_POLLS = 3

# Until Jupyter's stamps show what a question has left in them.
SETTLE_SECONDS = 1.0


class Watch:
    """How long nothing has happened on this machine; times are monotonic seconds."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.active = self.answered = self.measured = time.monotonic()
        # The activity that the last backup before a stop came after.
        self.backed_up = 0.0  # backup
        self.silent_polls = 0
        self.stamps: Stamps = frozenset()
        self.uses: Optional[Uses] = None
        self.questions = Questions()

    @property
    def idle(self) -> float:
        """Seconds without activity; silence is not activity, and none before SILENT_POLLS."""
        if not self.silent_polls:
            return time.monotonic() - self.active
        since = max(self.active, self.answered)
        return time.monotonic() - since if self.silent_polls >= SILENT_POLLS else 0.0

    def poll(self) -> List[str]:
        """What is seen, in words. Asks the kernels too if nothing has happened for long enough."""
        jupyter, seen = self._look(frozenset())
        if self.args.processes:
            seen += self._processes_at_work()
        if self.idle < self.args.idle_seconds or kept(self.args):
            return seen
        if not jupyter:
            return [*seen, "for so long that it counts as idle"]
        work = self.questions.work(jupyter.states, self.args.answer_seconds)
        if work:
            self.active = time.monotonic()
            return [*seen, "busy: {} ({})".format(jupyter.names[work[0]], work[1])]
        # To jupyter_server before 2.15 an answer is activity.
        time.sleep(SETTLE_SECONDS)
        return self._look(frozenset(jupyter.states))[1]

    def _look(self, asked: FrozenSet[str]) -> Tuple[Optional[Jupyter], List[str]]:
        """Looks at Jupyter and notes activity, which is none of the kernels that were `asked`."""
        try:
            jupyter = look(self.args.url, self.args.timeout_seconds)
        except Exception as error:  # whatever it answers, the watch goes on
            self.silent_polls += 1
            return None, ["Jupyter does not answer ({!r})".format(error)]
        self.silent_polls = 0
        seen, stamps = [jupyter.counts], jupyter.stamps
        shown = terminals(self.args.user) if jupyter.unknown else frozenset()
        if jupyter.unknown:
            by = "which counts as activity" if shown is None else "their own times count"
            seen.append("{}: {}".format(jupyter.unknown, by))
        stamps |= shown or frozenset()
        new = [stamp for stamp in stamps - self.stamps if stamp[1] not in asked]
        busy = [jupyter.names[key] for key, state in jupyter.states.items() if state == "busy"]
        if busy:
            seen.append("busy: " + ", ".join(busy))
        self.answered = time.monotonic()
        if busy or new or shown is None:
            self.active = self.answered
        self.stamps = stamps
        return jupyter, seen

    def _processes_at_work(self) -> List[str]:
        """Measures the user's processes since the poll before, and notes activity."""
        before, since = self.uses, self.measured
        self.uses, self.measured = uses(self.args.user), time.monotonic()
        if self.args.backup:  # backup
            from backup import without_backup  # backup

            self.uses = without_backup(self.uses)  # backup
        working = at_work(before, self.uses, self.measured - since) if before is not None else []
        if working:
            self.active = self.measured
        return ["at work: " + ", ".join(working)] if working else []


def kept(args: argparse.Namespace) -> bool:
    """Whether the keep-alive file is young enough; a date to come prolongs it."""
    try:
        return time.time() - os.stat(args.keep_alive).st_mtime < args.keep_alive_seconds
    except OSError:
        return False


def poll(watch: Watch, args: argparse.Namespace) -> bool:
    """Looks once, logs one line, and stops the instance where it is due. True once that is done."""
    seen = ", ".join(watch.poll())
    idle = watch.idle
    reason = "idle {:.0f} of {:g} s: {}".format(idle, args.idle_seconds, seen)
    if idle < args.idle_seconds:
        LOG.info("running on, %s", reason)
    elif kept(args):
        LOG.info("kept alive by %s, %s", args.keep_alive, reason)
    elif args.backup and watch.backed_up != watch.active:  # backup
        from backup import back_up  # backup

        watch.backed_up = watch.active  # backup
        LOG.info("backup before the stop, %s: %s", reason, back_up())  # backup
        # Somebody may have come back meanwhile.
        return poll(watch, args)  # backup
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
    parser.add_argument("--answer-seconds", default=10, help="of a kernel", **seconds)
    parser.add_argument("--settle-seconds", default=600, help="wait after a stop", **seconds)
    parser.add_argument("--keep-alive-seconds", default=24 * 3600, **seconds)
    parser.add_argument("--keep-alive", default="/home/ec2-user/SageMaker/.keep-alive")
    parser.add_argument("--metadata", default="/opt/ml/metadata/resource-metadata.json")
    parser.add_argument("--processes", action="store_true", help="weigh what the user runs")
    parser.add_argument("--backup", action="store_true", help="copy before a stop")  # backup
    parser.add_argument("--user", default="ec2-user")
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
    watch = Watch(args)
    while True:
        stopped = poll(watch, args)
        time.sleep(args.settle_seconds if stopped else args.poll_seconds)


if __name__ == "__main__":
    main()
