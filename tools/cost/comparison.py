"""Separate infrastructure for each notebook against infrastructure that all share.

Separate means that each notebook has, for itself, what the shared stacks make: the same interface
endpoints in the same number of Availability Zones, and its own KMS keys. What is paid by use (data
through endpoints, logs, the GB in the buckets) costs the same either way, as do compute and
volumes; roles, security groups, the S3 gateway and empty buckets cost nothing. Data that
notebooks have in common would lie in each one's bucket: `duplicated_gb` of it.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from tools.cost.model import Amount, Estimate, total

# Figures that are paid for being there, whoever uses it.
FIXED = ("endpoint_hour", "kms_key_month")


@dataclass(frozen=True)
class Comparison:
    """A month of `notebooks` notebooks, separate and shared: overhead alone, and with compute."""

    notebooks: int
    separate_overhead: Amount
    shared_overhead: Amount
    compute: Amount

    @property
    def separate(self) -> Amount:
        """Overhead, compute and volumes, each with its own infrastructure."""
        return self.separate_overhead + self.compute

    @property
    def shared(self) -> Amount:
        """Overhead, compute and volumes on shared infrastructure."""
        return self.shared_overhead + self.compute

    @property
    def saved(self) -> Amount:
        """What sharing saves a month."""
        difference = self.separate_overhead.usd - self.shared_overhead.usd
        complete = self.separate_overhead.complete and self.shared_overhead.complete
        return Amount(difference, complete)

    @property
    def saved_of_overhead(self) -> Decimal | None:
        """Percent of the separate overhead; None where it is nothing or a price is unknown."""
        return _percent(self.saved, self.separate_overhead)

    @property
    def saved_of_all(self) -> Decimal | None:
        """Percent of everything; None where it is nothing or a price is unknown."""
        return _percent(self.saved, self.separate)


def compare(estimate: Estimate, notebooks: int, duplicated_gb: Decimal = Decimal(0)) -> Comparison:
    """`estimate`'s fleet with as many notebooks, which cost on average what they do now.

    A fleet without notebooks has no compute. Raises ValueError for fewer than 0 notebooks.
    """
    if notebooks < 0:
        raise ValueError("a fleet has 0 notebooks or more")
    fixed = total(line.amount for line in estimate.shared if line.figure in FIXED)
    copies = Amount()
    if estimate.fleet.shared.buckets and notebooks > 1:
        (storage,) = (line for line in estimate.shared if line.figure == "storage_gb_month")
        copies = replace(storage, quantity=duplicated_gb).amount.times(notebooks - 1)
    by_use = _by_use(estimate, notebooks)
    counted = len(estimate.notebooks)
    compute = estimate.notebooks_amount.times(notebooks, counted) if counted else Amount()
    return Comparison(
        notebooks,
        fixed.times(notebooks) + by_use + copies,
        fixed + by_use,
        compute,
    )


def saves_nothing_on(estimate: Estimate, duplicated_gb: Decimal = Decimal(0)) -> list[str]:
    """What sharing does not make cheaper, in words."""
    found = [
        "compute and volumes: each notebook has its own, either way",
        "what is paid by use (logs, data through endpoints): the same bytes, either way",
        "roles, policies, security groups, the S3 gateway endpoint: AWS does not charge for them",
    ]
    if not duplicated_gb:
        found.append(
            "S3 storage: a GB costs the same in any bucket; sharing saves where each notebook "
            "would hold a copy of the same data (--duplicated-gb)"
        )
    if not estimate.shared_amount.usd and estimate.shared_amount.complete:
        found.append("this fleet's overhead: there is none")
    return found


def _by_use(estimate: Estimate, notebooks: int) -> Amount:
    """Storage, and what each notebook uses, for that many of them."""
    counted = len(estimate.notebooks)
    amount = Amount()
    for line in estimate.shared:
        if line.figure == "storage_gb_month":
            amount += line.amount
        elif line.figure not in FIXED and counted:
            amount += line.amount.times(notebooks, counted)
    return amount


def _percent(part: Amount, whole: Amount) -> Decimal | None:
    if not whole.usd or not part.complete or not whole.complete:
        return None
    return part.usd / whole.usd * 100
