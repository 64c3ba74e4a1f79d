"""What a month of applied resources costs, by what their state says of them."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from tools.aws.sagemaker import NOTEBOOK_TYPE
from tools.cost.model import MONTH, Line
from tools.cost.prices import Table
from tools.cost.quantities import scheduled_hours
from tools.hcl.reading import Value
from tools.state.file import State

_SCHEDULE = "aws_scheduler_schedule"
_ENDPOINT = "aws_vpc_endpoint"
_KEY = "aws_kms_key"
_NAT = "aws_nat_gateway"
_ADDRESS = "aws_eip"
PRICED = frozenset({NOTEBOOK_TYPE, _SCHEDULE, _ENDPOINT, _KEY, _NAT, _ADDRESS})
"""The types of resources on which a cost depends that no use changes."""

# As modules/sagemaker-notebook/schedule.tf writes a start and a stop.
_CRON = re.compile(r"cron\((\d{1,2}) (\d{1,2}) (?:\?|\*) \* (\S+) \*\)")


def lines_of(state: State, table: Table) -> list[Line]:
    """What the state's resources cost that are paid for being there, in the region of the first."""
    region = region_of(state)
    hours = _hours(state)
    return [
        Line(item.type, quantity, "", region, figure, table.get(region, figure))
        for item in state.resources
        for figure, quantity in _figures(item.type, item.attributes, hours)
    ]


def region_of(state: State) -> str:
    """The region of the first resource whose ARN names one; empty if none does.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
    """
    arns = (str(item.attributes.get("arn") or "").split(":") for item in state.resources)
    return next((arn[3] for arn in arns if len(arn) > 5 and arn[3]), "")


def _figures(
    resource_type: str, attributes: Mapping[str, Any], hours: Decimal
) -> Iterator[tuple[str, Decimal]]:
    if resource_type == NOTEBOOK_TYPE:
        yield str(attributes["instance_type"]), hours
        yield "volume_gb_month", Decimal(attributes["volume_size"])
    elif resource_type == _ENDPOINT and attributes["vpc_endpoint_type"] == "Interface":
        yield "endpoint_hour", MONTH * len(attributes["subnet_ids"])
    elif resource_type == _KEY:
        yield "kms_key_month", Decimal(1)
    elif resource_type == _NAT:
        yield "nat_hour", MONTH
    elif resource_type == _ADDRESS:
        yield "public_ipv4_hour", MONTH


def _hours(state: State) -> Decimal:
    """Hours a month of the state's notebook: by its schedule, or all of them."""
    values: dict[str, Value] = {}
    for item in state.resources:
        match = _CRON.fullmatch(str(item.attributes.get("schedule_expression")))
        if item.type == _SCHEDULE and match:
            minute, hour, days = match.groups()
            verb = str(item.attributes.get("name"))
            values[f"schedule_{verb}"] = f"{int(hour):02}:{int(minute):02}"
            if verb == "start":
                values["schedule_days"] = days
    hours = scheduled_hours(values)
    return MONTH if hours is None else hours
