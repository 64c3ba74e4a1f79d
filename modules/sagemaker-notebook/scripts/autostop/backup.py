"""The backup of the home, on a notebook that has one (install-backup.sh.tftpl)."""

import subprocess

from machine import Uses

# In the environment of the service: what it starts is no work of the user's.
MARK = b"NOTEBOOK_BACKUP=1"
LONGEST_SECONDS = 5 * 3600  # the service has a limit of its own, which is less


def back_up() -> str:
    """Runs the backup to its end, and says how that was."""
    try:
        code = subprocess.call(
            ["systemctl", "start", "notebook-backup"],
            stdin=subprocess.DEVNULL,
            timeout=LONGEST_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return repr(error)
    return "exit code {}".format(code) if code else "done"


def without_backup(uses: Uses) -> Uses:
    """Leaves out the processes that are the backup's."""
    return {key: use for key, use in uses.items() if not _is_backup(key[0])}


def _is_backup(pid: str) -> bool:
    """Whether a process is the backup's."""
    try:
        with open("/proc/{}/environ".format(pid), "rb") as file:
            return MARK in file.read()
    except OSError:  # it has ended meanwhile
        return False
