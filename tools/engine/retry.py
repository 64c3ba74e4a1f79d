"""Tries again after errors that pass."""

import re
from collections.abc import Callable
from typing import TypeVar

from tools.engine.run import Run
from tools.layout.stack import Stack
from tools.terraform.diagnostics import TerraformError

T = TypeVar("T")

# What AWS, or the way there, answers for a while:
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
_TRANSIENT = re.compile(
    r"Throttl|RequestLimitExceeded|TooManyRequests|SlowDown|RequestTimeout|ServiceUnavailable|"
    r"InternalFailure|InternalServerError|InternalError|StatusCode: (?:429|500|502|503|504)\b|"
    r"connection re(?:set|fused)|i/o timeout|TLS handshake timeout|unexpected EOF|"
    r"no such host|Temporary failure in name resolution|"
    # A role that is seconds old is not known everywhere yet, and the provider does not wait for it:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
    r"CreateNotebookInstance, .*Could not assume role"
)


def retry_transient(run: Run, stack: Stack, attempt: Callable[[], T]) -> T:
    """Returns what `attempt` returns; calls it again, after the run's delays, if an error may pass.

    Raises the TerraformError of the last attempt.
    """
    delays = list(run.backoff)
    while True:
        try:
            return attempt()
        except TerraformError as error:
            is_transient = any(_TRANSIENT.search(d.text()) for d in error.diagnostics)
            if not (is_transient and delays) or run.interruption.count or run.gone():
                raise
            delay = delays.pop(0)
            line = f"{error.diagnostics[0].text()}; trying again in {delay:.0f} s"
            run.progress.say(stack.name, line)
            run.interruption.sleep(delay)
        finally:  # Terraform may have written the state, also before it failed
            run.records.forget(stack)
