"""What the notebooks' auto-stop last decided, from its lines in CloudWatch Logs.

AWS does not know whether anybody works on a notebook: only Jupyter does, and the auto-stop
(modules/sagemaker-notebook/scripts/autostop) asks it every minute and logs what it saw. A
notebook without an auto-stop, or whose lines do not reach CloudWatch, is not known to be idle.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tools.aws import logs
from tools.aws.client import Cloud
from tools.aws.logs import Event

# Ten of the auto-stop's polls: a line that is older says nothing of now.
FRESH = timedelta(minutes=10)

# The longest that AWS's own tools wait for a stop, 60 times 30 s: botocore 1.42,
# data/sagemaker/2017-07-24/waiters-2.json, NotebookInstanceStopped.
_LONGEST_STOP = timedelta(minutes=30)
_LOOK_BACK = timedelta(days=14)

_MARK = "autostop: "
_DECISION = re.compile(
    r"autostop: (?P<action>running on|kept alive|stopping|cannot stop)\b.*?"
    r"\bidle (?P<idle>\d{1,9}) of [\d.e+]+ s"  # 31 years
)


@dataclass(frozen=True)
class Decision:
    """What an auto-stop decided at `time`, after `idle` time.

    `action` is running on, kept alive, stopping or cannot stop.
    """

    time: datetime
    action: str
    idle: timedelta


def recent_decisions(cloud: Cloud) -> dict[str, Decision]:
    """The last decision of each notebook of a region in the last ten minutes, by its name.

    One query for all of them. Raises UserError if CloudWatch cannot be asked.
    """
    return last_decisions(logs.events(cloud, datetime.now(UTC) - FRESH, pattern=f'"{_MARK}"'))


def since_last_change(decision: Decision | None, modified: datetime) -> Decision | None:
    """`decision` if a running instance, last changed at `modified`, made it since, or None.

    A line from before the last start says nothing of the work since. Neither does the line of a
    stop if the instance runs again.
    """
    is_older = decision is None or decision.time < modified or decision.action == "stopping"
    return None if is_older else decision


def is_idle(decision: Decision | None, for_at_least: timedelta) -> bool:
    """Whether a running notebook is known to be idle for so long, and has no keep-alive file."""
    if decision is None or decision.action == "kept alive":
        return False
    return decision.idle >= for_at_least


def stopped_by_autostop(cloud: Cloud, modified_by_name: Mapping[str, datetime]) -> set[str]:
    """The names of the notebooks that their auto-stop stopped in the last 14 days.

    `modified_by_name` has the stopped notebooks, name to when each last changed. One query. Raises
    UserError if CloudWatch cannot be asked.
    """
    oldest = datetime.now(UTC) - _LOOK_BACK
    start = max(oldest, min(modified_by_name.values(), default=oldest) - _LONGEST_STOP)
    stops = last_decisions(logs.events(cloud, start, pattern=f'"{_MARK}stopping"'))
    return {
        name
        for name, changed in modified_by_name.items()
        if name in stops and changed - _LONGEST_STOP <= stops[name].time <= changed
    }


def last_decisions(events: Iterable[Event]) -> dict[str, Decision]:
    """The last decision among `events`, by notebook."""
    decisions: dict[str, Decision] = {}
    for event in events:
        decision = parse_decision(event)
        previous = decisions.get(event.notebook)
        if decision and (previous is None or previous.time <= decision.time):
            decisions[event.notebook] = decision
    return decisions


def parse_decision(event: Event) -> Decision | None:
    """The decision that a line of a log reports, or None if it is another line.

    A notebook writes its own log: what stands there may be anything.
    """
    match = _DECISION.search(event.message)
    if not match:
        return None
    return Decision(event.time, match["action"], timedelta(seconds=int(match["idle"])))
