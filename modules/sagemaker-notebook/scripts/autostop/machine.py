"""Signs of work on the machine itself: its user's processes and terminals."""

import os
import pwd
from typing import Dict, FrozenSet, List, NamedTuple, Optional, Tuple

# Between two polls, on average. An idle kernel uses 1 % of a core, an idle Jupyter less.
BUSY_CORES = 0.1
BUSY_BYTES = 1 << 20  # read and written in a second: a transfer


class Use(NamedTuple):
    """What a process has used since it started, with its children that have ended."""

    name: str
    seconds: float
    size: int


Uses = Dict[Tuple[str, str], Use]  # by pid and start, since pids come again


def uid_of(user: str) -> Optional[int]:
    """None for a user that the machine does not know."""
    try:
        return int(user) if user.isdigit() else pwd.getpwnam(user).pw_uid
    except KeyError:
        return None


def uses(user: str) -> Uses:
    """What each process of the user has used so far."""
    uid = uid_of(user)
    ticks = os.sysconf("SC_CLK_TCK")
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        folder = "/proc/" + pid
        try:
            if os.stat(folder).st_uid != uid:
                continue
            # proc(5). The name is in parentheses and may hold some itself.
            with open(folder + "/stat") as file:
                name, _, rest = file.read().partition(" (")[2].rpartition(") ")
            numbers = rest.split()
            with open(folder + "/io") as file:
                io = dict(line.split(": ") for line in file.read().splitlines())
        except OSError:  # it has ended meanwhile
            continue
        seconds = sum(map(int, numbers[11:15])) / ticks
        found[pid, numbers[19]] = Use(name, seconds, int(io["rchar"]) + int(io["wchar"]))
    return found


def at_work(before: Uses, after: Uses, seconds: float) -> List[str]:
    """The processes that did work in the `seconds` between, in words."""
    found = []
    for key, use in after.items():
        _name, spent, size = before.get(key, Use(use.name, 0, 0))
        cores, rate = (use.seconds - spent) / seconds, (use.size - size) / seconds
        if cores >= BUSY_CORES or rate >= BUSY_BYTES:
            text = "{} (pid {}, {:.0%} of a core, {:.1f} MiB/s)"
            found.append(text.format(use.name, key[0], cores, rate / (1 << 20)))
    return found


def terminals(user: str) -> Optional[FrozenSet[Tuple[str, str, str]]]:
    """A stamp for each of the user's terminals, which changes once it shows something; None if
    the machine does not know the user."""
    uid = uid_of(user)
    if uid is None:
        return None
    found = []
    for name in filter(str.isdigit, os.listdir("/dev/pts")):
        try:
            status = os.stat("/dev/pts/" + name)
        except OSError:  # it has ended meanwhile
            continue
        if status.st_uid == uid:
            found.append(("tty", name, str(status.st_mtime)))
    return frozenset(found)
