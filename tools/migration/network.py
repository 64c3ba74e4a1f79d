"""The VPC and subnets of the stacks, as a migration finds them in an old deployment."""

from collections import Counter
from dataclasses import replace

from tools.imports.destination import Destination
from tools.imports.request import ImportRequest, Values
from tools.layout.stack import ENDPOINTS, GROUPS
from tools.migration.mapping import LegacyMapping
from tools.migration.resource_types import ENDPOINT, NOTEBOOK


def preferred_subnets(mapping: LegacyMapping) -> list[str]:
    """Returns subnets for the stacks, first the one of most notebooks, which new ones get."""
    first = next(iter(_most_used(mapping)), None)
    of_endpoints = [row.resource.texts("subnet_ids") for row in mapping.imported(ENDPOINT)]
    shared = next(filter(None, of_endpoints), [first] if first else [])
    return sorted(shared, key=lambda subnet: subnet != first)


def _most_used(mapping: LegacyMapping) -> list[str]:
    """The subnets of which none has more notebooks, by their IDs."""
    used = Counter(row.resource.text("subnet_id") for row in mapping.imported(NOTEBOOK))
    most = max(used.values(), default=0)
    return sorted(subnet for subnet, count in used.items() if count == most)


def note_tie(mapping: LegacyMapping) -> list[str]:
    """A note if only its ID makes a subnet the first, or none."""
    first, *equals = _most_used(mapping) or [""]
    if not equals:
        return []
    return [
        f"new notebooks get {first}: as many are in {', '.join(equals)}, and it comes first by its "
        f"ID; for another one, set subnet_ids in {ENDPOINTS}/terraform.tfvars before the migration"
    ]


def stack_subnets(destination: Destination) -> list[str]:
    """Returns the subnets that the stacks have already."""
    declared = destination.declared_list(ENDPOINTS, "subnet_ids")
    return declared or list(destination.outputs(ENDPOINTS).get("subnet_ids") or [])


def add(destination: Destination, mapping: LegacyMapping, request: ImportRequest) -> ImportRequest:
    """Returns the request with the subnets in their order, and the VPC if nothing else says it."""
    subnets = preferred_subnets(mapping)
    if not subnets:
        return request
    values = {stack: dict(settings) for stack, settings in request.values.items()}
    notes = request.notes
    requested = request.value_list(ENDPOINTS, "subnet_ids")
    if not stack_subnets(destination) or set(requested) == set(subnets):
        values.setdefault(ENDPOINTS, {})["subnet_ids"] = subnets
        notes += tuple(note_tie(mapping))
    if "vpc_id" not in values.get(GROUPS, {}):
        for stack, settings in _vpc_values(destination, subnets[0]).items():
            values[stack] = {**values.get(stack, {}), **settings}
    return replace(request, values=values, notes=notes)


def _vpc_values(destination: Destination, subnet: str) -> Values:
    """The values that make the notebooks' VPC that of the stacks."""
    what = f"look for {subnet}"
    answer = destination.ask(what, "ec2", "describe_subnets", SubnetIds=[subnet])
    if not answer:
        return {}  # the request of the notebook that is in it says so
    vpc = str(answer["Subnets"][0]["VpcId"])
    return destination.vpc_values(f"the notebooks' {subnet}", vpc)
