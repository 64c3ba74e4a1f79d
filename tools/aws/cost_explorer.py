"""What AWS has billed, by Cost Explorer. AWS charges for every request."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from tools.aws.client import Cloud, RequestError
from tools.errors import UserError

# The FAQs: of an answer in pages, each page counts as a request.
SOURCE = "https://aws.amazon.com/aws-cost-management/aws-cost-explorer/faqs"
USD_A_REQUEST = Decimal("0.01")
MOST_REQUESTS = 10
# Its one endpoint: https://docs.aws.amazon.com/cost-management/latest/userguide/ce-api.html
_REGION = "us-east-1"
_METRIC = "UnblendedCost"

# https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_GetCostAndUsage.html
_MENDS = {
    "AccessDeniedException": (
        "allow ce:GetCostAndUsage; in an organization its management account also has to let "
        "member accounts use Cost Explorer (Billing, Cost Management preferences)"
    ),
    "DataUnavailableException": (
        "Cost Explorer has no data yet: open it once in the console (Billing, Cost Explorer), and "
        "ask again a day later"
    ),
    "LimitExceededException": "too many requests in a short time: ask again in a few minutes",
}


@dataclass(frozen=True)
class BilledCost:
    """What was billed in a month that began on `month`, of one value of a tag, "" without it."""

    month: date
    value: str
    usd: Decimal


def cloud() -> Cloud:
    """Where Cost Explorer is asked, whatever region the resources are in."""
    return Cloud(_REGION)


def costs_by_tag(
    cloud: Cloud, tag: str, start: date, end: date, only: tuple[str, str] | None
) -> Iterator[list[BilledCost]]:
    """Asks what was billed by month and value of `tag`, from `start` until before `end`.

    Yields a list for each request, of which there are MOST_REQUESTS at most. `only` is another tag
    and the value that it must have. Raises UserError if AWS refuses, if there is more, and if it
    bills another currency than US dollars.
    """
    arguments: dict[str, Any] = {
        "TimePeriod": {"Start": start.isoformat(), "End": end.isoformat()},
        "Granularity": "MONTHLY",
        "Metrics": [_METRIC],
        "GroupBy": [{"Type": "TAG", "Key": tag}],
    }
    if only:
        key, value = only
        arguments["Filter"] = {"Tags": {"Key": key, "Values": [value], "MatchOptions": ["EQUALS"]}}
    for _ in range(MOST_REQUESTS):
        answer = _ask(cloud, arguments)
        yield list(_parse(answer, tag))
        token = answer.get("NextPageToken")
        if not token:
            return
        arguments["NextPageToken"] = token
    raise UserError(
        f"Cost Explorer has more than {MOST_REQUESTS} pages of values of the tag {tag}; choose a "
        "tag with fewer: --by"
    )


def _ask(cloud: Cloud, arguments: dict[str, Any]) -> Any:
    try:
        return cloud.call("ask what was billed", "ce", "get_cost_and_usage", **arguments)
    except RequestError as error:
        if error.code not in _MENDS:
            raise
        raise UserError(
            f"Cost Explorer does not answer ({error.code}: {error.reason}); {_MENDS[error.code]}"
        ) from None


def _parse(answer: Any, tag: str) -> Iterator[BilledCost]:
    for month in answer["ResultsByTime"]:
        for group in month["Groups"]:
            cost = group["Metrics"][_METRIC]
            if cost["Unit"] != "USD":
                raise UserError(
                    f"AWS bills this account in {cost['Unit']}, and this counts in US dollars"
                )
            # "Owner$alice", and "Owner$" for what has no such tag.
            value = str(group["Keys"][0]).removeprefix(f"{tag}$")
            start = date.fromisoformat(month["TimePeriod"]["Start"])
            yield BilledCost(start, value, Decimal(cost["Amount"]))
