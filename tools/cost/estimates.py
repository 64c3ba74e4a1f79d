"""An estimate for a repository: its fleet at the prices that are known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from tools import SCRATCH
from tools.aws import s3
from tools.aws.client import Cloud
from tools.context import Context
from tools.cost import model, price_list, prices, quantities
from tools.cost.model import Assumptions, Estimate
from tools.cost.quantities import Outputs, WhatIf
from tools.errors import UserError
from tools.fleet.fleet import DeclaredNotebook, Fleet
from tools.layout.repository import COMMON
from tools.layout.stack import Stack
from tools.localcloud import workspace
from tools.state.file import State
from tools.state.place import locate


@dataclass(frozen=True)
class Question:
    """What is asked: whose fleet, which of its notebooks, and what is otherwise than declared.

    `patterns` and `conditions` choose notebooks as Fleet.notebooks takes them; `region` and
    `hours` stand for the declared ones.
    """

    local: bool = False
    patterns: Sequence[str] = ()
    conditions: Sequence[str] = ()
    region: str | None = None
    hours: Decimal | None = None
    what_if: Sequence[WhatIf] = ()
    assumptions: Assumptions = field(default_factory=Assumptions)


def of(context: Context, question: Question) -> Estimate:
    """The estimate that `question` asks for. Asks AWS for nothing but states, and never fails for
    want of one.

    Raises UserError for values that do not parse, names of nothing, and a corrupt price table.
    """
    place = where(context, question.local)
    region = question.region or place.region
    counted = quantities.counted(
        place.repository,
        region,
        notebooks(context, question),
        _outputs(place.endpoint),
        question.what_if,
        question.hours,
    )
    assumed = [f"Region: {region} is assumed; {COMMON} is missing."]
    if not question.region and not (place.repository.root / COMMON).is_file():
        counted = replace(counted, notes=[*assumed, *counted.notes])
    return model.estimate(counted, prices.load(own_prices(context)), question.assumptions)


def notebooks(context: Context, question: Question) -> list[DeclaredNotebook]:
    """The notebooks that are asked about. Raises UserError for names of nothing."""
    found = where(context, question.local).notebooks(question.patterns, question.conditions)
    if question.region:
        found = [replace(notebook, region=question.region) for notebook in found]
    return found


def where(context: Context, local: bool) -> Fleet:
    """The fleet in the repository, before `tools init` too, or in the local cloud's copy of it."""
    if local:
        return Fleet.open(context, local=True)
    repository = context.repository
    return Fleet(repository.root, repository, workspace.region(repository))


def own_prices(context: Context) -> Path:
    """The price table that `tools cost --refresh` writes."""
    return context.repository.root / SCRATCH / "prices.json"


def renew(context: Context, regions: Sequence[str], today: date) -> Mapping[str, int]:
    """Asks the AWS Price List for `regions`, and keeps what it says in `own_prices`.

    Returns how many prices there are by region. Raises UserError where AWS cannot be asked; the
    table stays as it was then.
    """
    # The Price List API answers in few regions; this one is in every account of the aws partition.
    # https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-price-list-query-api.html
    cloud = Cloud("us-east-1")
    path = own_prices(context)
    fetched = prices.Table({})
    for region in regions:
        if region.startswith("cn-"):
            raise UserError(f"{region}: prices in China are in CNY, which this does not count in")
        fetched = price_list.fetch(cloud, region, today).over(fetched)
    try:
        before = prices.read(path) if path.is_file() else prices.Table({})
    except UserError:
        before = prices.Table({})  # corrupt: this is what mends it
    prices.write(fetched.over(before), path)
    return {region: len(fetched.prices[region]) for region in regions}


def warnings(estimate: Estimate, today: date) -> list[str]:
    """What a reader of the figures has to know: what is not counted, unknown prices, old ones."""
    found = list(estimate.fleet.warnings)
    if estimate.unknown:
        found.append(
            f"no price is known for {', '.join(estimate.unknown)}: the total is at least what is "
            f"shown; ask AWS: {prices.RENEW}"
        )
    old = sorted(
        f"{figure} in {region} ({price.on})"
        for (region, figure), price in estimate.prices.items()
        if price.is_old(today)
    )
    if old:
        found.append(f"prices older than a year: {', '.join(old)}; renew them: {prices.RENEW}")
    return found


def _outputs(endpoint: str | None) -> Outputs:
    """Reads applied outputs from states; nothing where there is none, or no file says where."""

    def read(stack: Stack) -> Mapping[str, Any]:
        place = locate(stack, s3.in_regions_of(endpoint))
        text = place.read() if place else None
        return State.parse(text, str(place)).outputs if text else {}

    return read
