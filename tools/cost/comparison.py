"""Compares separate infrastructure for each notebook with infrastructure that all share.

- Separate means that each notebook has what the shared stacks make for itself: the same interface
  endpoints in the same number of Availability Zones, KMS keys, and a NAT gateway.
- Compute, volumes, and what is paid by use (data through endpoints or NAT, logs, the GB in the
  buckets) cost the same either way.
- Roles, security groups, the S3 gateway endpoint and empty buckets cost nothing.
- Data that notebooks have in common would be in the bucket of each: `duplicated_gb` of it.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from tools.cost.model import Amount, Estimate, total

# The figures that are paid by the hour or month, however much they are used.
FIXED = ("endpoint_hour", "kms_key_month", "nat_hour", "public_ipv4_hour")


@dataclass(frozen=True)
class Comparison:
    """The costs of a month for a number of `notebooks`, with separate and shared overhead."""

    notebooks: int
    separate_overhead: Amount
    shared_overhead: Amount
    compute: Amount

    @property
    def separate(self) -> Amount:
        """Overhead, compute and volumes, with separate infrastructure."""
        return self.separate_overhead + self.compute

    @property
    def shared(self) -> Amount:
        """Overhead, compute and volumes, with shared infrastructure."""
        return self.shared_overhead + self.compute

    @property
    def saved(self) -> Amount:
        """What sharing saves a month."""
        difference = self.separate_overhead.usd - self.shared_overhead.usd
        complete = self.separate_overhead.complete and self.shared_overhead.complete
        return Amount(difference, complete)

    @property
    def saved_of_overhead(self) -> Decimal | None:
        """Percent of the separate overhead; None if that is 0 or a price is unknown."""
        return _percent(self.saved, self.separate_overhead)

    @property
    def saved_of_all(self) -> Decimal | None:
        """Percent of all separate costs; None if they are 0 or a price is unknown."""
        return _percent(self.saved, self.separate)


def compare(estimate: Estimate, notebooks: int, duplicated_gb: Decimal = Decimal(0)) -> Comparison:
    """Compares the fleet of `estimate` with so many notebooks, at today's average of each.

    Without notebooks in the estimate there is no compute.
    """
    fixed = total(line.amount for line in estimate.shared if line.figure in FIXED)
    copies = Amount()
    if estimate.quantities.shared_spec.buckets and notebooks > 1:
        (storage,) = (line for line in estimate.shared if line.figure == "storage_gb_month")
        copies = replace(storage, quantity=duplicated_gb).amount.times(notebooks - 1)
    by_use = _by_use(estimate, notebooks)
    estimated = len(estimate.notebooks)
    compute = estimate.notebooks_amount.times(notebooks, estimated) if estimated else Amount()
    return Comparison(
        notebooks,
        fixed.times(notebooks) + by_use + copies,
        fixed + by_use,
        compute,
    )


def saves_nothing_on(
    estimate: Estimate, duplicated_gb: Decimal = Decimal(0), option: str = ""
) -> list[str]:
    """The costs that sharing does not reduce, in words; `option` is what counts such copies."""
    costs = [
        "compute and volumes: each notebook has its own either way",
        "what is paid by use (logs, data through endpoints): the same bytes either way",
        "roles, policies, security groups, the S3 gateway endpoint: AWS does not charge for them",
    ]
    if not duplicated_gb:
        costs.append(
            "S3 storage: a GB costs the same in any bucket; sharing saves if each notebook "
            f"would hold a copy of the same data{option}"
        )
    if not estimate.shared_amount.usd and estimate.shared_amount.complete:
        costs.append("this fleet's overhead: there is none")
    return costs


def _by_use(estimate: Estimate, notebooks: int) -> Amount:
    """The cost of storage, and of what so many notebooks use."""
    estimated = len(estimate.notebooks)
    amount = Amount()
    for line in estimate.shared:
        if line.figure == "storage_gb_month":
            amount += line.amount
        elif line.figure not in FIXED and estimated:
            amount += line.amount.times(notebooks, estimated)
    return amount


def _percent(part: Amount, whole: Amount) -> Decimal | None:
    if not whole.usd or not part.complete or not whole.complete:
        return None
    return part.usd / whole.usd * 100
