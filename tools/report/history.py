"""What earlier reports found: a file beside the page, with one entry for each day.

    {"format": 1, "reports": [{"made": "2026-11-23T08:30:00+00:00", "cloud": "aws",
                               "project": "acme-ml", "notebooks": 12, "running": 5,
                               "attention": 3, "usd": "1234.56", "complete": true}]}

`cloud` is aws or local, `running` null if AWS was not asked, `usd` the estimate of a month.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from tools.cost.model import Amount
from tools.errors import UserError
from tools.report import attention
from tools.report.model import Report
from tools.system import files

_FORMAT = 1
_KEPT = 400  # entries: more than a year of one a day
_SHOWN = 12


@dataclass(frozen=True)
class Entry:
    """One report of the past, or this one."""

    made: datetime
    cloud: str
    project: str
    notebooks: int
    running: int | None
    attention: int
    amount: Amount

    @property
    def subject(self) -> tuple[str, str]:
        """What it is about: only entries with the same can be compared."""
        return self.cloud, self.project


@dataclass(frozen=True)
class Trend:
    """The last reports on one fleet, oldest first, this one last."""

    entries: Sequence[Entry]

    @property
    def highest(self) -> Decimal:
        """The largest amount."""
        return max(entry.amount.usd for entry in self.entries)

    @property
    def change(self) -> Amount:
        """How much more a month is now than in the report before; negative if it is less."""
        before, now = self.entries[-2].amount, self.entries[-1].amount
        return Amount(now.usd - before.usd, now.complete and before.complete)

    def height(self, entry: Entry) -> float:
        """The height of its column, in percent of the highest."""
        return float(entry.amount.usd / self.highest * 100) if self.highest else 0.0


def path_beside(page: Path) -> Path:
    """Returns the file of the entries of the reports that are written to `page`."""
    return page.with_name(f"{page.stem}.history.json")


def entry_of(report: Report) -> Entry:
    """Returns what is kept of `report`."""
    return Entry(
        report.made,
        "local" if report.option else "aws",
        report.project,
        len(report.rows),
        len(report.running) if report.was_asked else None,
        attention.count(report),
        report.estimate.amount,
    )


def read(path: Path) -> list[Entry]:
    """Returns the entries of `path`, oldest first; none if there is no such file.

    Raises UserError if it cannot be read, or holds something else.
    """
    if not path.exists():
        return []
    try:
        with files.explain_unreadable(path):
            content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != _FORMAT:
            raise ValueError(f"its format is {content['format']}, not {_FORMAT}")
        return sorted(map(_parse, content["reports"]), key=lambda entry: entry.made)
    except files.MALFORMED as error:
        reason = files.explain_malformed(error)
        raise UserError(
            f"{path} does not hold the figures of earlier reports ({reason}); "
            "move it away to begin again"
        ) from None


def add(entries: Sequence[Entry], entry: Entry) -> list[Entry]:
    """Returns `entries` with `entry`, which replaces another of its day about the same fleet."""
    others = [
        other
        for other in entries
        if other.subject != entry.subject or other.made.date() != entry.made.date()
    ]
    return sorted([*others, entry], key=lambda other: other.made)[-_KEPT:]


def trend(entries: Sequence[Entry], subject: tuple[str, str]) -> Trend | None:
    """Returns the last of `entries` about one fleet, or None if there are fewer than two."""
    same = [entry for entry in entries if entry.subject == subject]
    return Trend(same[-_SHOWN:]) if len(same) > 1 else None


def write(path: Path, entries: Sequence[Entry]) -> None:
    """Writes `entries` for `read`. Raises UserError if the file cannot be written."""
    reports = [_as_json(entry) for entry in entries]
    files.write(path, json.dumps({"format": _FORMAT, "reports": reports}, indent=1) + "\n")


def _parse(item: Any) -> Entry:
    made = datetime.fromisoformat(item["made"])
    usd, running = Decimal(item["usd"]), item["running"]
    if made.tzinfo is None or not usd.is_finite() or usd < 0:
        raise ValueError(f"not a figure of a report: {item['made']}, {item['usd']}")
    return Entry(
        made,
        str(item["cloud"]),
        str(item["project"]),
        int(item["notebooks"]),
        None if running is None else int(running),
        int(item["attention"]),
        Amount(usd, bool(item["complete"])),
    )


def _as_json(entry: Entry) -> dict[str, Any]:
    return {
        "made": entry.made.isoformat(),
        "cloud": entry.cloud,
        "project": entry.project,
        "notebooks": entry.notebooks,
        "running": entry.running,
        "attention": entry.attention,
        "usd": str(entry.amount.usd),
        "complete": entry.amount.complete,
    }
