"""What the notebooks' own idle stop last said, from its lines in CloudWatch's logs.

AWS itself does not know whether anybody works on a notebook: only Jupyter does, and the auto-stop
(modules/sagemaker-notebook/scripts/autostop.py) asks it every minute and writes down what it saw.
A notebook whose lines do not reach CloudWatch, or that has no auto-stop, is not known to be idle.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tools.aws import logs
from tools.aws.client import Cloud
from tools.aws.logs import Event

# A poll a minute; CloudWatch's agent sends what it has every few seconds.
FRESH = timedelta(minutes=10)

# Far more than a stop takes, and far less than a start, work and another stop would.
_STOPPING_TAKES = timedelta(minutes=30)
_LOOK_BACK = timedelta(days=14)

_MARK = "autostop: "
_DECISION = re.compile(
    r"autostop: (?P<what>running on|kept alive|stopping|cannot stop)\b.*?"
    r"\bidle (?P<idle>\d+) of (?P<limit>[\d.e+]+) s"
)


@dataclass(frozen=True)
class Decision:
    """What the auto-stop decided at `time`: after `idle` of no activity, of the `limit` allowed.

    `what` is running on, kept alive, stopping or cannot stop.
    """

    time: datetime
    what: str
    idle: timedelta
    limit: timedelta


def decisions(cloud: Cloud) -> dict[str, Decision]:
    """What the auto-stops of a region have decided in the last ten minutes, by notebook.

    One query for all of them. Raises UserError where CloudWatch cannot be asked.
    """
    return last(logs.events(cloud, datetime.now(UTC) - FRESH, pattern=f'"{_MARK}"'))


def of_this_run(decision: Decision | None, modified: datetime) -> Decision | None:
    """`decision` where the instance that runs since `modified` has made it, else None.

    A line from before the last start tells nothing of the work since; neither does a stop that
    AWS was asked for, where the instance runs again.
    """
    before = decision is None or decision.time < modified or decision.what == "stopping"
    return None if before else decision


def is_idle(decision: Decision | None, for_at_least: timedelta) -> bool:
    """Whether a notebook that runs is known to be idle: no line of it or a keep-alive file, no."""
    return decision is not None and decision.what != "kept alive" and decision.idle >= for_at_least


def stopped_themselves(cloud: Cloud, modified: Mapping[str, datetime]) -> set[str]:
    """Of the stopped notebooks in `modified` (name to when it last changed) those whose last
    change was a stop by their own auto-stop, in the last 14 days.

    One query. Raises UserError where CloudWatch cannot be asked.
    """
    oldest = datetime.now(UTC) - _LOOK_BACK
    start = max(oldest, min(modified.values(), default=oldest) - _STOPPING_TAKES)
    stops = last(logs.events(cloud, start, pattern=f'"{_MARK}stopping"'))
    return {
        name
        for name, when in modified.items()
        if name in stops and when - _STOPPING_TAKES <= stops[name].time <= when
    }


def last(events: Iterable[Event]) -> dict[str, Decision]:
    """The last decision among `events`, by notebook."""
    found: dict[str, Decision] = {}
    for event in events:
        decision = read(event)
        known = found.get(event.notebook)
        if decision and (known is None or known.time <= decision.time):
            found[event.notebook] = decision
    return found


def read(event: Event) -> Decision | None:
    """The decision in a line of a log; None where it is another line."""
    line = _DECISION.search(event.message)
    if not line:
        return None
    idle, limit = timedelta(seconds=int(line["idle"])), timedelta(seconds=float(line["limit"]))
    return Decision(event.time, line["what"], idle, limit)
