"""Estimates of a repository's fleet, at the prices that are known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from tools.aws import s3
from tools.context import Context
from tools.cost import model, prices, quantities
from tools.cost.model import UNDECLARED_SIZE, UNDECLARED_TYPE, Assumptions, Estimate, Quantities
from tools.cost.quantities import Outputs, WhatIf
from tools.fleet.fleet import Fleet
from tools.layout.repository import COMMON
from tools.layout.stack import Stack
from tools.localcloud import workspace
from tools.state.place import locate, read_state


@dataclass(frozen=True)
class CostQuestion:
    """What to estimate: which notebooks of which fleet, and what differs from their values.

    `patterns` and `conditions` select notebooks as in Fleet.notebooks; `region` and `hours` replace
    those of the values.
    """

    local: bool = False
    patterns: Sequence[str] = ()
    conditions: Sequence[str] = ()
    region: str | None = None
    hours: Decimal | None = None
    what_if: Sequence[WhatIf] = ()
    assumptions: Assumptions = field(default_factory=Assumptions)


def estimate(context: Context, question: CostQuestion, fleet: Fleet | None = None) -> Estimate:
    """Estimates what `question` asks for. Of AWS it needs nothing but states, and no state at all.

    `fleet` is what `open_fleet` returned for it, if that was called already: it mirrors the
    repository for the local cloud.

    Raises UserError for values that do not parse, a pattern that matches no notebook, and a corrupt
    price table. So does it if the user's variables lead Terraform to other states.
    """
    counted = count(context, question, fleet)
    return model.estimate_month(counted, prices.load(), question.assumptions)


def count(context: Context, question: CostQuestion, fleet: Fleet | None = None) -> Quantities:
    """Counts what the notebooks of `question`, and what they share, use in a month.

    Raises UserError as `estimate` does, but for the price table, which it does not need.
    """
    context.refuse_other_states()
    fleet = fleet or open_fleet(context, question.local)
    region = question.region or fleet.region
    notebooks = fleet.notebooks(question.patterns, question.conditions)
    if question.region:
        notebooks = [replace(notebook, region=question.region) for notebook in notebooks]
    counted = quantities.count(
        fleet.repository,
        region,
        notebooks,
        _outputs_reader(fleet.endpoint),
        question.what_if,
        question.hours,
    )
    assumed = [f"Region: {region} is assumed; {COMMON} sets none."]
    if not question.region and not fleet.repository.shared_values().get("region"):
        counted = replace(counted, notes=[*assumed, *counted.notes])
    return counted


def open_fleet(context: Context, local: bool) -> Fleet:
    """The fleet of the repository, also before `tools init`, or of the local cloud's copy of it."""
    if local:
        return Fleet.open(context, local=True)
    repository = context.repository
    return Fleet(repository.root, repository, workspace.region(repository))


def warnings(estimate: Estimate, today: date) -> list[str]:
    """What a reader of the estimate has to know: values not counted, unknown and old prices."""
    sentences = list(estimate.quantities.warnings)
    if estimate.unknown:
        unknown = ", ".join(prices.describe_each(estimate.unknown))
        sentences.append(
            f"no price is known for {unknown}: the total is at least what is shown; "
            f"{_offer(estimate)}"
        )
    old = sorted(
        f"{prices.describe(figure)} in {region} ({price.on})"
        for (region, figure), price in estimate.prices.items()
        if price.is_old(today)
    )
    if old:
        sentences.append(f"prices older than a year: {', '.join(old)}; renew them: {prices.RENEW}")
    return sentences


def _offer(estimate: Estimate) -> str:
    """How to get the prices that are not known."""
    if all(figure in (UNDECLARED_SIZE, UNDECLARED_TYPE) for figure, _ in estimate.unknown):
        return "write them into terraform.tfvars"
    regions = {region for _, region in estimate.unknown}
    if any(region.startswith("cn-") for region in regions):
        return "prices in China are in CNY, which this does not count"
    return f"run: {prices.RENEW}"


def _outputs_reader(endpoint: str | None) -> Outputs:
    """A function that reads outputs from states: {} if there is none, or no file says where."""

    def read(stack: Stack) -> Mapping[str, Any]:
        location = locate(stack, s3.in_regions_of(endpoint))
        state = read_state(location) if location else None
        return state.outputs if state else {}

    return read
