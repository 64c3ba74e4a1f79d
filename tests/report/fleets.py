"""Reports about fleets that are only imagined: plain values, no cloud."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from tests.trees import reading, write_stack
from tools.aws.sagemaker import Instance
from tools.cost import billed_costs, groups
from tools.cost.billed_costs import Billed, BilledRow
from tools.cost.comparison import compare
from tools.cost.groups import Key
from tools.cost.model import (
    Amount,
    Assumptions,
    Estimate,
    NotebookCost,
    NotebookSpec,
    Quantities,
    SharedSpec,
    estimate_month,
)
from tools.cost.prices import Price, Table
from tools.fleet.fleet import DeclaredNotebook
from tools.fleet.status import UndeclaredInstance
from tools.hcl.reading import Value
from tools.layout.stack import Stack
from tools.report import history
from tools.report.history import Trend
from tools.report.model import NotebookRow, Report
from tools.runs import listing

MADE = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
HTML = '<img src=x onerror="window.broken = 1"><script>window.broken = 1</script>&amp;"\''
TYPES = {"ml.t3.medium": "0.05", "ml.m5.xlarge": "0.23", "ml.m5.2xlarge": "0.461"}
PRICES = {**TYPES, "endpoint_hour": "0.01", "volume_gb_month": "0.14", "storage_gb_month": "0.023"}
TABLE = Table(
    {
        "us-east-1": {
            figure: Price(Decimal(usd), f"a list of {figure}", date(2026, 11, 1))
            for figure, usd in PRICES.items()
        }
    }
)
# One for each notebook in turn.
STATUSES = ("InService", "Stopped", "not deployed", "Failed", "InService", "InService", "Stopped")


def report(count: int, asked: bool = True, values: Mapping[str, Value] | None = None) -> Report:
    """`count` notebooks; where AWS was asked: idle ones, failed ones, one orphan, and differences.

    `values` stand for those of the first notebook.
    """
    specs, declared = [], []
    kinds = list(TYPES)
    for number in range(count):
        own: dict[str, Value] = {
            "name": f"team-{number:04}",
            "owner": f"owner-{number % 7}",
            "environment": ("dev", "staging", "prod")[number % 3],
            "purpose": f"Purpose {number}",
            "tags": {"Team": f"team-{number % 7}"} if number % 2 else {},
            "idle_stop_minutes": 0 if number % 20 == 5 else 60,
            "instance_type": kinds[number % 3],
            **((values or {}) if number == 0 else {}),
        }
        stack = Stack(Path("/nowhere"), f"notebooks/{own['name']}")
        declared.append(DeclaredNotebook(stack, own, "us-east-1"))
        specs.append(
            NotebookSpec(
                str(own["name"]),
                "us-east-1",
                str(own["instance_type"]),
                20 + number % 50,
                owner=str(own["owner"]),
                environment=str(own["environment"]),
            )
        )
    found = estimate_month(
        Quantities("us-east-1", specs, SharedSpec(3, 1, 0, True)), TABLE, Assumptions()
    )
    rows = [
        _row(number, one, cost, asked)
        for number, (one, cost) in enumerate(zip(declared, found.notebooks, strict=True))
    ]
    return Report(
        "acme-ml",
        "us-east-1",
        MADE,
        "AWS was asked, us-east-1." if asked else "AWS was not asked: --offline.",
        rows,
        [UndeclaredInstance("us-east-1", _instance("left-over", "InService"))] if asked else None,
        [_state("notebooks/gone", "orphan")] if asked else [],
        asked,
        found,
        [compare(found, number) for number in sorted({1, 3, 10, count} - {0})],
        ["no price is known for CloudWatch logs in us-east-1"],
        billed=_bill(found) if asked else None,
    )


def _bill(found: Estimate) -> tuple[Billed, list[BilledRow]]:
    """What was billed by owner: a little more than the estimate, and something that none has."""
    key = Key.parse("owner")
    months = [date(2026, 10, 1), date(2026, 11, 1)]
    amounts = {
        owner.name: {months[0]: owner.amount.usd + number, months[1]: owner.amount.usd / 2}
        for number, owner in enumerate(groups.group(found.notebooks, key))
    }
    amounts["somebody-else"] = {months[1]: Decimal("1234.56")}
    known = Billed("Owner", "acme-ml", MADE.date(), months, amounts)
    return known, billed_costs.compare(known, found, key)


def with_stacks(found: Report, root: Path) -> Report:
    """`found` with stacks in `root`: four shared ones, and its notebooks, which read them."""
    shared = [f"shared-infra/{name}" for name in ("s3", "iam", "security-groups", "vpc-endpoints")]
    for name, above in zip(shared, ([], shared[:1], [], shared[2:3]), strict=True):
        write_stack(root, name, reading(*above))
    for row in found.rows:
        write_stack(root, row.declared.stack.name, reading(*shared))
    names = [*shared, *(row.declared.stack.name for row in found.rows)]
    return replace(found, stacks=[Stack(root, name) for name in names])


def trend(found: Report, usd: tuple[int, ...] = (900, 1450, 1380, 1610)) -> Trend:
    """That of `found` after weekly reports of so many dollars."""
    now = history.entry_of(found)
    weeks = range(len(usd), 0, -1)
    earlier = [
        replace(now, made=MADE - timedelta(weeks=week), amount=Amount(Decimal(dollars)))
        for week, dollars in zip(weeks, usd, strict=True)
    ]
    made = history.trend([*earlier, now], now.subject)
    assert made
    return made


def _row(number: int, declared: DeclaredNotebook, cost: NotebookCost, asked: bool) -> NotebookRow:
    """Number 1 differs, 4 is idle, 5 has no auto-stop, 6 waits, 8 is on Amazon Linux 2, and so on.

    Those that run are 0 and 4 of each five; 3 has failed, and 9 is in no state.
    """
    if not asked:
        return NotebookRow(declared, cost)
    status = STATUSES[number % len(STATUSES)]
    made = status != "not deployed"
    return NotebookRow(
        declared,
        cost,
        status,
        MADE - timedelta(days=number) if made else None,
        ["instance_type is ml.t3.medium, declared ml.m5.xlarge"] if number % 20 == 1 else (),
        "no capacity" if status == "Failed" else None,
        timedelta(minutes=25 + number) if status == "InService" and number % 10 == 4 else None,
        _state(declared.stack.name, "changed since" if number % 30 == 6 else "applied"),
        number % 40 != 9 if made else None,
        number % 20 == 8,
    )


def _state(stack: str, status: listing.Status) -> listing.StackRow:
    why = ("terraform.tfvars has changed",) if status == "changed since" else ()
    return listing.StackRow(stack, "notebook", status, None, 9, why, f"{stack}/terraform.tfstate")


def _instance(name: str, status: str) -> Instance:
    arn = f"arn:aws:sagemaker:us-east-1:123456789012:notebook-instance/{name}"
    return Instance(name, arn, status, "ml.t3.medium", MADE)
