"""A month of a fleet in lines of quantity times price. Amounts are US dollars, exact."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from tools.cost.prices import Price, Table

MONTH = Decimal(730)  # hours: 365 days by 24 hours by 12 months, as AWS's own calculator counts

# In place of a figure, where a notebook says nothing that could have a price.
UNDECLARED_TYPE = "an undeclared instance_type"
UNDECLARED_SIZE = "an undeclared volume_size"


@dataclass(frozen=True)
class Assumptions:
    """What no value of a stack says; each is an option of `tools cost`.

    `storage_gb` is what all shared buckets hold together; `logs_gb` and `endpoint_gb` are what
    each notebook writes to CloudWatch, and sends through interface endpoints, in a month.
    """

    storage_gb: Decimal = Decimal(100)
    logs_gb: Decimal = Decimal("0.1")
    endpoint_gb: Decimal = Decimal(1)


@dataclass(frozen=True)
class NotebookSpec:
    """What of a notebook's values costs: `hours` a month that it runs.

    An empty `instance_type` and a `volume_gb` of None are values that nothing declares.
    """

    name: str
    region: str
    instance_type: str
    volume_gb: int | None
    hours: Decimal = MONTH
    owner: str = ""
    environment: str = ""


@dataclass(frozen=True)
class SharedSpec:
    """What of the shared stacks costs: interface endpoints, each in `zones` Availability Zones,
    KMS keys that the stacks make, and whether there are buckets."""

    endpoints: int = 0
    zones: int = 0
    kms_keys: int = 0
    buckets: bool = False


@dataclass(frozen=True)
class Fleet:
    """Everything that is counted. `region` is the shared stacks'; `notes` say where a quantity
    is from, in sentences, and `warnings` which values cannot be counted."""

    region: str
    notebooks: Sequence[NotebookSpec]
    shared: SharedSpec
    notes: Sequence[str] = ()
    warnings: Sequence[str] = ()


@dataclass(frozen=True)
class Amount:
    """US dollars; `complete` is False where the price of a part is unknown, so that it is more."""

    usd: Decimal = Decimal(0)
    complete: bool = True

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.usd + other.usd, self.complete and other.complete)

    def __str__(self) -> str:
        """To the cent; where a price is unknown, what it is at least."""
        if self.complete:
            return f"${self.usd:,.2f}"
        return f"at least ${self.usd:,.2f}" if self.usd else "unknown"

    def times(self, factor: int, of: int = 1) -> "Amount":
        """That often this amount, which is the amount of `of`."""
        return Amount(self.usd * factor / of, self.complete)


@dataclass(frozen=True)
class Line:
    """One line of the bill. `figure` names the price in the table, which is None if unknown."""

    what: str
    quantity: Decimal
    unit: str
    region: str
    figure: str
    price: Price | None

    @property
    def amount(self) -> Amount:
        """What it costs; unknown where the price is and something is used."""
        if self.price is None:
            return Amount(complete=self.quantity == 0)
        return Amount(self.quantity * self.price.usd)


@dataclass(frozen=True)
class NotebookCost:
    """A month of one notebook."""

    spec: NotebookSpec
    compute: Line
    volume: Line

    @property
    def amount(self) -> Amount:
        """Compute and volume."""
        return self.compute.amount + self.volume.amount


@dataclass(frozen=True)
class Estimate:
    """A month of a fleet."""

    fleet: Fleet
    assumptions: Assumptions
    notebooks: Sequence[NotebookCost]
    shared: Sequence[Line] = field(default_factory=list)

    @property
    def notebooks_amount(self) -> Amount:
        """All notebooks' compute and volumes."""
        return total(notebook.amount for notebook in self.notebooks)

    @property
    def shared_amount(self) -> Amount:
        """The shared overhead."""
        return total(line.amount for line in self.shared)

    @property
    def amount(self) -> Amount:
        """Everything."""
        return self.notebooks_amount + self.shared_amount

    @cached_property
    def lines(self) -> list[Line]:
        """Every line that counts something."""
        own = [line for notebook in self.notebooks for line in (notebook.compute, notebook.volume)]
        return [line for line in (*own, *self.shared) if line.quantity]

    @property
    def unknown(self) -> list[str]:
        """Figures that are needed and that no table has, with their region, sorted."""
        return sorted({f"{i.figure} in {i.region}" for i in self.lines if i.price is None})

    @property
    def prices(self) -> dict[tuple[str, str], Price]:
        """The prices that were used, by region and figure."""
        return {(i.region, i.figure): i.price for i in self.lines if i.price is not None}


def total(amounts: Iterable[Amount]) -> Amount:
    """Their sum."""
    return sum(amounts, Amount())


def estimate(fleet: Fleet, table: Table, assumptions: Assumptions) -> Estimate:
    """What a month of `fleet` costs at the prices of `table`."""

    def line(
        what: str, quantity: Decimal | int, unit: str, figure: str, region: str = fleet.region
    ) -> Line:
        return Line(what, Decimal(quantity), unit, region, figure, table.get(region, figure))

    def notebook(spec: NotebookSpec) -> NotebookCost:
        kind, size = spec.instance_type or UNDECLARED_TYPE, spec.volume_gb
        volume = UNDECLARED_SIZE if size is None else "volume_gb_month"
        return NotebookCost(
            spec,
            line(kind, spec.hours, "h", kind, spec.region),
            line("volume", 1 if size is None else size, "GB-month", volume, spec.region),
        )

    notebooks = [notebook(spec) for spec in fleet.notebooks]
    shared, count = fleet.shared, len(fleet.notebooks)
    interfaces = shared.endpoints * shared.zones
    lines = [
        line(
            f"{_count(shared.endpoints, 'interface endpoint')} in "
            f"{_count(shared.zones, 'Availability Zone')}",
            interfaces * MONTH,
            "h",
            "endpoint_hour",
        ),
        line(
            f"data through them, {assumptions.endpoint_gb} GB a notebook",
            assumptions.endpoint_gb * count if interfaces else 0,
            "GB",
            "endpoint_gb",
        ),
        line(
            "shared buckets, S3 Standard",
            assumptions.storage_gb if shared.buckets else 0,
            "GB-month",
            "storage_gb_month",
        ),
        line("KMS keys made by the stacks", shared.kms_keys, "keys", "kms_key_month"),
        line(
            f"CloudWatch logs, {assumptions.logs_gb} GB a notebook",
            assumptions.logs_gb * count,
            "GB",
            "logs_gb",
        ),
    ]
    return Estimate(fleet, assumptions, notebooks, lines)


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
