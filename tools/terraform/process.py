"""Follows a Terraform process by its log until it ends."""

import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tools.system.signals import Interruption
from tools.terraform.masking import Mask


def pid_file(log: Path) -> Path:
    return log.with_suffix(".pid")


_PROMPT = "Enter a value: "


def follow(
    process: "subprocess.Popen[bytes]",
    log: Path,
    mask: Mask,
    on_line: Callable[[str], None],
    interruption: Interruption | None,
    on_prompt: Callable[[], None] = lambda: None,
) -> None:
    """Calls `on_line` for each line that `process` writes to `log`, until it ends.

    What `mask` hides is in the lines, and no longer in the log when this returns.
    """
    noted = 0
    partial = ""
    try:
        with log.open(encoding="utf-8", errors="replace") as reader:
            while True:
                ended = process.poll() is not None
                partial += reader.readline()
                if partial.endswith("\n") or (ended and partial):
                    line, partial = partial, ""
                    on_line(line)
                elif partial.endswith(_PROMPT):
                    partial = ""
                    on_prompt()
                elif ended:
                    break
                else:
                    time.sleep(0.05)
                if interruption and interruption.count > noted and not ended:
                    # Only the first: at a second Terraform would leave without writing its state.
                    if not noted:
                        process.send_signal(signal.SIGINT)
                    noted = interruption.count
                    on_line("interrupted: waiting for Terraform to write its state\n")
    except BaseException:
        # Whatever went wrong here, Terraform is asked to stop and not left behind.
        process.send_signal(signal.SIGINT)
        process.wait()
        raise
    finally:
        if process.stdin:
            with suppress(BrokenPipeError):
                process.stdin.close()
        mask.scrub(log)
        pid_file(log).unlink(missing_ok=True)
