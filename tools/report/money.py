"""What the fleet costs, by what a team lead asks for: owner, environment, type, notebook."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from tools.console import figures
from tools.cost import groups
from tools.cost.groups import Key
from tools.cost.model import Amount, total
from tools.report.model import Report

_MOST = 8  # bars of a breakdown
_DEAREST = 10
_FEW = 4


@dataclass(frozen=True)
class Bar:
    """One bar: `length` is in percent of the longest, `detail` stands beside the label."""

    label: str
    detail: str
    amount: Amount
    length: float


@dataclass(frozen=True)
class Breakdown:
    """The largest amounts as bars, and one sum of the others, which is no bar."""

    title: str
    bars: Sequence[Bar]
    others: int
    rest: Amount


def breakdowns(report: Report) -> list[Breakdown]:
    """Returns the costs of the notebooks by owner, environment and instance type."""
    return [_by(report, Key.parse(key_text)) for key_text in ("owner", "environment", "type")]


def dearest(report: Report) -> Breakdown:
    """Returns the notebooks that cost most."""
    rows = [(row.name, row.cost.spec.instance_type, row.cost.amount) for row in report.rows]
    return _break_down("Most expensive notebooks", rows, _DEAREST)


def are_few(shown: Sequence[Breakdown]) -> bool:
    """Whether none has more bars than stand well in four columns beside each other."""
    return all(len(breakdown.bars) <= _FEW for breakdown in shown)


def format_amount(amount: Amount) -> str:
    """Returns an amount to the cent; one with unknown prices is at least that."""
    if not amount.complete and not amount.usd:
        return "unknown"
    return f"{'' if amount.complete else '≥ '}{figures.money(amount.usd)}"


def format_change(amount: Amount) -> str:
    """Returns a difference without its sign: about so much, if a part of it is not known."""
    text = figures.money(abs(amount.usd))
    return text if amount.complete else f"about {text}"


def _by(report: Report, key: Key) -> Breakdown:
    rows = [
        (group.name, figures.count(len(group.notebooks), "notebook"), group.amount)
        for group in groups.group(report.estimate.notebooks, key)
    ]
    return _break_down(f"By {key.title.lower()}", rows, _MOST)


def _break_down(title: str, rows: Sequence[tuple[str, str, Amount]], most: int) -> Breakdown:
    ordered = sorted(rows, key=lambda amount_row: (-amount_row[2].usd, amount_row[0]))
    # One more bar takes no more room than a line that says there is one more.
    shown_rows, other_rows = groups.split(ordered, most)
    longest = max((amount.usd for *_, amount in shown_rows), default=Decimal(0))
    bars = [
        Bar(label, detail, amount, float(amount.usd / longest * 100) if longest else 0.0)
        for label, detail, amount in shown_rows
    ]
    return Breakdown(title, bars, len(other_rows), total(amount for *_, amount in other_rows))
