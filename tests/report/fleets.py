"""Reports about fleets that are only imagined: plain values, no cloud."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from tools.aws.sagemaker import Instance
from tools.cost.comparison import compare
from tools.cost.model import Assumptions, NotebookSpec, Quantities, SharedSpec, estimate_month
from tools.cost.prices import Price, Table
from tools.fleet.fleet import DeclaredNotebook
from tools.fleet.status import UndeclaredInstance
from tools.hcl.reading import Value
from tools.layout.stack import Stack
from tools.report.collect import NotebookRow, Report
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
STATUSES = ("InService", "Stopped", "not deployed", "Failed", "InService")


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
    )


def _row(number: int, declared: DeclaredNotebook, cost: object, asked: bool) -> NotebookRow:
    if not asked:
        return NotebookRow(declared, cost)  # type: ignore[arg-type]
    status = STATUSES[number % len(STATUSES)]
    return NotebookRow(
        declared,
        cost,  # type: ignore[arg-type]
        status,
        MADE - timedelta(days=number) if status != "not deployed" else None,
        ["instance_type is ml.t3.medium, declared ml.m5.xlarge"] if number % 10 == 1 else (),
        "no capacity" if status == "Failed" else None,
        timedelta(minutes=25 + number) if number % 10 == 4 else None,
        _state(declared.stack.name, "changed since" if number == 6 else "applied"),
    )


def _state(stack: str, status: listing.Status) -> listing.StackRow:
    why = ("terraform.tfvars has changed",) if status == "changed since" else ()
    return listing.StackRow(stack, "notebook", status, None, 9, why, f"{stack}/terraform.tfstate")


def _instance(name: str, status: str) -> Instance:
    arn = f"arn:aws:sagemaker:us-east-1:123456789012:notebook-instance/{name}"
    return Instance(name, arn, status, "ml.t3.medium", MADE)
