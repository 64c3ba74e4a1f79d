"""A month of a fleet in lines of quantity times price. Amounts are US dollars, exact."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from tools.console import figures
from tools.cost.prices import Price, Table

# Hours a month, 365 days of 24 hours in 12 months, as AWS's calculator counts:
# https://docs.aws.amazon.com/pricing-calculator/latest/userguide/what-is-pricing-calculator.html
MONTH = Decimal(730)

# In place of a figure, if a notebook declares nothing that could have a price.
UNDECLARED_TYPE = "an undeclared instance_type"
UNDECLARED_SIZE = "an undeclared volume_size"


@dataclass(frozen=True)
class Assumptions:
    """Quantities that no value of a stack gives; each is an option of `tools cost`.

    `storage_gb` is the data in all shared buckets together. `logs_gb`, `endpoint_gb` and `nat_gb`
    are the GB a month that each notebook logs to CloudWatch, and sends or gets through interface
    endpoints and a NAT gateway.
    """

    storage_gb: Decimal = Decimal(100)
    logs_gb: Decimal = Decimal("0.1")
    endpoint_gb: Decimal = Decimal(1)
    nat_gb: Decimal = Decimal(1)


@dataclass(frozen=True)
class NotebookSpec:
    """What a notebook uses in a month: an instance for `hours`, and a volume.

    An empty `instance_type` and a `volume_gb` of None are values that nothing declares. `tags` are
    those by which bills and `--by` can group.
    """

    name: str
    region: str
    instance_type: str
    volume_gb: int | None
    hours: Decimal = MONTH
    owner: str = ""
    environment: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SharedSpec:
    """What the shared stacks use in a month.

    That is interface endpoints, each in `zones` Availability Zones, KMS keys that the stacks make,
    buckets, if there are any, and a NAT gateway with its public address, if there is one.
    """

    endpoints: int = 0
    zones: int = 0
    kms_keys: int = 0
    buckets: bool = False
    nat_gateway: bool = False


@dataclass(frozen=True)
class Quantities:
    """What a fleet uses in a month; `region` is the shared stacks'.

    `notes` are sentences that say where a quantity is from, `warnings` those that say which values
    are not counted.
    """

    region: str
    notebook_specs: Sequence[NotebookSpec]
    shared_spec: SharedSpec
    notes: Sequence[str] = ()
    warnings: Sequence[str] = ()


@dataclass(frozen=True)
class Amount:
    """US dollars; not `complete` if the price of a part is unknown, so that it costs more."""

    usd: Decimal = Decimal(0)
    complete: bool = True

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.usd + other.usd, self.complete and other.complete)

    def __str__(self) -> str:
        """The amount to the cent, with "at least" if it is not complete."""
        if self.complete:
            return figures.money(self.usd)
        return f"at least {figures.money(self.usd)}" if self.usd else "unknown"

    def times(self, factor: int, divisor: int = 1) -> "Amount":
        """Scales the amount by `factor / divisor`."""
        return Amount(self.usd * factor / divisor, self.complete)


@dataclass(frozen=True)
class Line:
    """A line of the bill; `figure` names the price in the table, `price` is None if unknown."""

    what: str
    quantity: Decimal
    unit: str
    region: str
    figure: str
    price: Price | None

    @property
    def amount(self) -> Amount:
        """Quantity times price; not complete if something is used whose price is unknown."""
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

    quantities: Quantities
    assumptions: Assumptions
    notebooks: Sequence[NotebookCost]
    shared: Sequence[Line]

    @property
    def notebooks_amount(self) -> Amount:
        """The sum of all notebooks' compute and volumes."""
        return total(notebook.amount for notebook in self.notebooks)

    @property
    def shared_amount(self) -> Amount:
        """The sum of what the notebooks share."""
        return total(line.amount for line in self.shared)

    @property
    def amount(self) -> Amount:
        """The sum of everything."""
        return self.notebooks_amount + self.shared_amount

    @cached_property
    def lines(self) -> list[Line]:
        """Every line with a quantity."""
        lines = [line for cost in self.notebooks for line in (cost.compute, cost.volume)]
        return [line for line in (*lines, *self.shared) if line.quantity]

    @property
    def unknown(self) -> list[tuple[str, str]]:
        """The figures whose price is needed and unknown, each with its region, sorted."""
        return sorted({(line.figure, line.region) for line in self.lines if line.price is None})

    @property
    def prices(self) -> dict[tuple[str, str], Price]:
        """The prices that were used, by region and figure."""
        return {(line.region, line.figure): line.price for line in self.lines if line.price}


def total(amounts: Iterable[Amount]) -> Amount:
    """The sum of amounts."""
    return sum(amounts, Amount())


def estimate_month(quantities: Quantities, table: Table, assumptions: Assumptions) -> Estimate:
    """Estimates a month of these quantities and assumptions at the prices of `table`."""

    def line(
        what: str, quantity: Decimal | int, unit: str, figure: str, region: str = quantities.region
    ) -> Line:
        return Line(what, Decimal(quantity), unit, region, figure, table.get(region, figure))

    def notebook(spec: NotebookSpec) -> NotebookCost:
        instance_type, size = spec.instance_type or UNDECLARED_TYPE, spec.volume_gb
        volume = UNDECLARED_SIZE if size is None else "volume_gb_month"
        return NotebookCost(
            spec,
            line(instance_type, spec.hours, "h", instance_type, spec.region),
            line("volume", 1 if size is None else size, "GB-month", volume, spec.region),
        )

    notebooks = [notebook(spec) for spec in quantities.notebook_specs]
    shared, count = quantities.shared_spec, len(quantities.notebook_specs)
    interfaces = shared.endpoints * shared.zones
    lines = [
        line(
            f"{figures.count(shared.endpoints, 'interface endpoint')} in "
            f"{figures.count(shared.zones, 'Availability Zone')}",
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
        *_nat_lines(line, shared.nat_gateway, assumptions.nat_gb, count),
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
    return Estimate(quantities, assumptions, notebooks, lines)


def _nat_lines(
    make_line: Callable[..., Line], is_made: bool, gb: Decimal, count: int
) -> Iterator[Line]:
    """A NAT gateway's lines. AWS bills every public IPv4 address, in use or not, since 2024:
    https://aws.amazon.com/blogs/aws/new-aws-public-ipv4-address-charge-public-ip-insights/
    """
    if is_made:
        yield make_line("NAT gateway", MONTH, "h", "nat_hour")
        yield make_line("its public address", MONTH, "h", "public_ipv4_hour")
        yield make_line(f"data through it, {gb} GB a notebook", gb * count, "GB", "nat_gb")
