"""Tries again after errors that pass."""

import re
import time
from collections.abc import Callable
from typing import TypeVar

from tools.engine.run import Run
from tools.layout.stack import Stack
from tools.system.signals import Interruption
from tools.terraform.diagnostics import TerraformError

T = TypeVar("T")

# What AWS, or the way there, answers for a while:
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
_TRANSIENT = re.compile(
    r"Throttl|RequestLimitExceeded|TooManyRequests|SlowDown|RequestTimeout|ServiceUnavailable|"
    r"InternalFailure|InternalServerError|InternalError|StatusCode: (?:429|500|502|503|504)\b|"
    r"connection re(?:set|fused)|i/o timeout|TLS handshake timeout|unexpected EOF|"
    r"no such host|Temporary failure in name resolution"
)


def retrying(run: Run, stack: Stack, once: Callable[[], T]) -> T:
    """What `once` returns; called again after an error that passes."""
    delays = list(run.backoff)
    while True:
        try:
            return once()
        except TerraformError as error:
            passing = any(_TRANSIENT.search(d.text()) for d in error.diagnostics)
            if not (passing and delays) or run.interruption.count or run.gone():
                raise
            delay = delays.pop(0)
            line = f"{error.diagnostics[0].text()}; trying again in {delay:.0f} s"
            run.progress.say(stack.name, line)
            _sleep(delay, run.interruption)
        finally:
            run.records.forget(stack)


def _sleep(seconds: float, interruption: Interruption) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and not interruption.count:
        time.sleep(0.1)
