"""Starts a Terraform process, and follows it by its log until it ends."""

import signal
import subprocess
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tools.system import processes
from tools.system.signals import Interruption, interruptible_child
from tools.terraform.masking import Mask

# The end of each question, on a line that does not end:
# https://github.com/hashicorp/terraform/blob/main/internal/command/ui_input.go
_PROMPT = "Enter a value: "
_POLL_SECONDS = 0.05


def start(
    command: Sequence[str | Path],
    directory: Path,
    env: Mapping[str, str],
    log: Path,
    stdin: int = subprocess.DEVNULL,
    inherited: Collection[int] = (),
) -> "subprocess.Popen[bytes]":
    """Starts `command` in `directory` with its output in `log`, and notes its process beside that.

    It gets the `inherited` descriptors too. If this process is killed, Terraform goes on: the next
    run finds it by that note. Raises UserError if it cannot be noted; then it has ended.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=directory,
            env=env,
            stdin=stdin,
            # To a file and not a pipe, which would break when this process is killed.
            stdout=output,
            stderr=subprocess.STDOUT,
            # Ctrl-C in a terminal goes to its whole foreground group, and a second one makes
            # Terraform leave without its state. In a session of its own only `follow` sends it one:
            # https://www.gnu.org/software/libc/manual/html_node/Job-Control.html
            start_new_session=True,
            pass_fds=inherited,
            preexec_fn=interruptible_child(),
        )
    try:
        processes.write_note(process.pid, pid_file(log))
    except BaseException:
        _end(process)
        raise
    return process


def pid_file(log: Path) -> Path:
    """Returns the file beside `log` that names its Terraform while that is at work."""
    return log.with_suffix(".pid")


def follow(
    process: "subprocess.Popen[bytes]",
    log: Path,
    mask: Mask,
    on_line: Callable[[str], None],
    interruption: Interruption | None = None,
    on_prompt: Callable[[], None] = lambda: None,
) -> None:
    """Calls `on_line` for each line that `process` writes to `log`, until it ends.

    `on_prompt` is called when it asks for a value. What `mask` hides is in the lines, and no
    longer in the log when this returns.
    """
    interruptions = 0
    partial = ""
    waits = False
    try:
        # A line ends where Terraform ends it: a carriage return may be a user's.
        with log.open(encoding="utf-8", errors="replace", newline="\n") as reader:
            while True:
                has_ended = process.poll() is not None
                text = reader.readline()
                partial += text
                if partial.endswith("\n") or (has_ended and partial):
                    line, partial, waits = partial, "", False
                    on_line(line)
                elif has_ended:
                    break
                elif waits and not text:
                    partial, waits = "", False
                    on_prompt()
                else:
                    # It waits for an answer if that is still the end at the next look: a text
                    # that is no question goes on.
                    waits = partial.endswith(_PROMPT)
                    time.sleep(_POLL_SECONDS)
                if interruption and interruption.count > interruptions and not has_ended:
                    # Only the first: at a second, Terraform leaves without writing its state
                    # ("Two interrupts received. Exiting immediately.", Terraform 1.0 to 1.15).
                    if not interruptions:
                        process.send_signal(signal.SIGINT)
                    interruptions = interruption.count
                    on_line("interrupted: waiting until the state is written\n")
    except BaseException:
        _end(process)
        raise
    finally:
        if process.stdin:
            with suppress(BrokenPipeError):
                process.stdin.close()
        mask.scrub(log)
        pid_file(log).unlink(missing_ok=True)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Asks Terraform to stop, and waits until it has: none is left behind."""
    process.send_signal(signal.SIGINT)
    process.wait()
