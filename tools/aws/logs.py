"""The logs of notebook instances, which SageMaker keeps in CloudWatch.

https://docs.aws.amazon.com/sagemaker/latest/dg/logging-cloudwatch.html
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import sleep
from typing import Any

from tools.aws.client import Cloud, RequestError
from tools.errors import UserError

GROUP = "/aws/sagemaker/NotebookInstances"

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
# How much later than a younger event an event may show. AWS gives no bound, only that new events
# take time: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html
_LATE = timedelta(seconds=60)
_SECONDS_BETWEEN_QUERIES = 2.0
_SECONDS_BETWEEN_QUERIES_LOCALLY = 0.2


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
        """The event for a person, in UTC; control characters but tab and newline are escaped."""
        message = "".join(
            c if c.isprintable() or c in "\t\n" else repr(c)[1:-1] for c in self.message
        )
        return f"{self.time:%Y-%m-%dT%H:%M:%SZ} {self.stream}  {message}"

    def as_json(self) -> dict[str, str]:
        """The event as `tools logs --json` prints it."""
        return {
            "time": self.time.isoformat(),
            "notebook": self.notebook,
            "stream": self.stream,
            "message": self.message,
        }


def events(
    cloud: Cloud, since: datetime, notebook: str | None = None, pattern: str | None = None
) -> Iterator[Event]:
    """What was logged `since` then, of one notebook or of all, the oldest first within a page.

    `pattern` is one of CloudWatch's filter patterns. Raises UserError if CloudWatch cannot be
    asked, or if no notebook of the region has ever logged anything.
    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
    """
    arguments: dict[str, Any] = {"logGroupName": GROUP, "startTime": _milliseconds(since)}
    if notebook:
        arguments["logStreamNamePrefix"] = f"{notebook}/"
    if pattern:
        arguments["filterPattern"] = pattern
    answers = cloud.items("read the logs", "logs", "filter_log_events", "events", **arguments)
    try:
        yield from map(_event, answers)
    except RequestError as error:
        if error.code == "ResourceNotFoundException":
            raise UserError(
                f"there is no log group {GROUP} in {cloud}: no notebook has logged anything there. "
                f"{why_none(cloud)}"
            ) from None
        raise


def why_none(cloud: Cloud) -> str:
    """What a notebook needs to log anything, for a message that there are no logs."""
    if cloud.endpoint:
        return "In the local cloud nothing runs that could write logs"
    return (
        "A notebook writes its logs with its own role (logs:CreateLogStream, logs:PutLogEvents) "
        "and, without a way to the internet, through an endpoint: add `logs` to "
        "interface_services of shared-infra/vpc-endpoints"
    )


def follow(
    cloud: Cloud, since: datetime, notebook: str, goes_on: Callable[[], bool]
) -> Iterator[Event]:
    """What a notebook has logged `since` then, and what it logs later, while `goes_on()`.

    Each event comes once. Raises UserError as `events` does.
    """
    seen: dict[str, datetime] = {}
    start = since
    while goes_on():
        for event in events(cloud, start, notebook):
            if not goes_on():
                return
            if event.id not in seen:
                seen[event.id] = event.time
                yield event
        newest = max(seen.values(), default=since)
        start = max(since, newest - _LATE)
        seen = {event_id: time for event_id, time in seen.items() if time >= start}
        sleep(_SECONDS_BETWEEN_QUERIES_LOCALLY if cloud.endpoint else _SECONDS_BETWEEN_QUERIES)


def parse_moment(text: str, now: datetime | None = None) -> datetime:
    """The time that is meant by `15m`, `2h` or `3d` (ago), or by an ISO 8601 time.

    That is in UTC if it names no zone. Raises UserError for any other text.
    """
    ago = re.fullmatch(r"(\d+)([smhdw])", text)
    try:
        if ago:
            return (now or datetime.now(UTC)) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        written = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise UserError(
            f"{text!r} is not a time: write how long ago (15m, 2h, 3d) or when (2026-01-31T08:00)"
        ) from None
    return written if written.tzinfo else written.replace(tzinfo=UTC)


def _event(answer: dict[str, Any]) -> Event:
    notebook, _, stream = answer["logStreamName"].partition("/")
    when = datetime.fromtimestamp(answer["timestamp"] / 1000, UTC)
    return Event(answer["eventId"], when, notebook, stream, answer["message"].rstrip("\n"))


def _milliseconds(moment: datetime) -> int:
    return max(0, int(moment.timestamp() * 1000))
