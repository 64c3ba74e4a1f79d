"""The logs of notebook instances, which SageMaker keeps in CloudWatch.

https://docs.aws.amazon.com/sagemaker/latest/dg/logging-cloudwatch.html
"""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tools.aws.client import Cloud, asking, code
from tools.errors import UserError

GROUP = "/aws/sagemaker/NotebookInstances"

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
# CloudWatch shows an event some seconds after it was written, and not always in order.
_LATE = timedelta(seconds=60)
_SECONDS_BETWEEN_LOOKS = 2.0


@dataclass(frozen=True)
class Event:
    """A line of a notebook's log; `stream` is what follows the name: `jupyter.log`, or
    `LifecycleConfigOnCreate` and `LifecycleConfigOnStart`."""

    id: str
    time: datetime
    notebook: str
    stream: str
    message: str

    def line(self) -> str:
        """For a person, in UTC: no character of it steers a terminal but tabs and line ends."""
        message = "".join(
            c if c.isprintable() or c in "\t\n" else repr(c)[1:-1] for c in self.message
        )
        return f"{self.time:%Y-%m-%dT%H:%M:%SZ} {self.stream}  {message}"

    def as_json(self) -> dict[str, str]:
        return {
            "time": self.time.isoformat(),
            "notebook": self.notebook,
            "stream": self.stream,
            "message": self.message,
        }


def events(
    cloud: Cloud, since: datetime, notebook: str | None = None, pattern: str | None = None
) -> Iterator[Event]:
    """What was logged `since` then, of one notebook or of all, oldest first within a page.

    `pattern` is CloudWatch's own. Raises UserError where CloudWatch cannot be asked, and where no
    notebook of the region has ever logged anything.
    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
    """
    asked: dict[str, Any] = {"logGroupName": GROUP, "startTime": _milliseconds(since)}
    if notebook:
        asked["logStreamNamePrefix"] = f"{notebook}/"
    if pattern:
        asked["filterPattern"] = pattern
    try:
        with asking(cloud, "read the logs"):
            pages = cloud.client("logs").get_paginator("filter_log_events")
            for page in pages.paginate(**asked):
                yield from map(_event, page["events"])
    except UserError as error:
        if code(error.__context__) == "ResourceNotFoundException":
            raise UserError(
                f"there is no log group {GROUP} in {cloud}: no notebook has logged anything there. "
                f"{why_none(cloud)}"
            ) from None
        raise


def of_notebook(
    cloud: Cloud, notebook: str, since: datetime, going: Callable[[], bool] | None
) -> Iterator[Event]:
    """What one notebook has logged `since` then, and what it goes on to log while `going()`."""
    return follow(cloud, since, notebook, going) if going else events(cloud, since, notebook)


def why_none(cloud: Cloud) -> str:
    """What a notebook needs to log anything, for where nothing is found."""
    if cloud.endpoint:
        return "The local cloud's notebooks are not there to write any"
    return (
        "A notebook writes its logs with its own role (logs:CreateLogStream, logs:PutLogEvents) "
        "and, without a way to the internet, through an endpoint: add `logs` to "
        "interface_services of shared-infra/vpc-endpoints"
    )


def follow(
    cloud: Cloud, since: datetime, notebook: str, going: Callable[[], bool]
) -> Iterator[Event]:
    """What `events` gives, and what comes after it, each once, while `going()`."""
    seen: dict[str, datetime] = {}
    start = since
    while going():
        for event in events(cloud, start, notebook):
            if event.id not in seen:
                seen[event.id] = event.time
                yield event
        newest = max(seen.values(), default=since)
        start = max(since, newest - _LATE)
        seen = {key: moment for key, moment in seen.items() if moment >= start}
        time.sleep(_SECONDS_BETWEEN_LOOKS if not cloud.endpoint else 0.2)


def moment(text: str, now: datetime | None = None) -> datetime:
    """`15m`, `2h`, `3d` ago, or a time as in ISO 8601, in UTC where it names no zone.

    Raises UserError for anything else.
    """
    ago = re.fullmatch(r"(\d+)([smhdw])", text)
    try:
        if ago:
            return (now or datetime.now(UTC)) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        written = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise UserError(
            f"{text!r} is no time: write how long ago (15m, 2h, 3d) or when (2026-01-31T08:00)"
        ) from None
    return written if written.tzinfo else written.replace(tzinfo=UTC)


def _event(answer: dict[str, Any]) -> Event:
    notebook, _, stream = answer["logStreamName"].partition("/")
    when = datetime.fromtimestamp(answer["timestamp"] / 1000, UTC)
    return Event(answer["eventId"], when, notebook, stream, answer["message"].rstrip("\n"))


def _milliseconds(moment: datetime) -> int:
    return max(0, int(moment.timestamp() * 1000))
