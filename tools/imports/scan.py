"""What the stacks could import of an account and region, and do not hold yet."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import click

from tools.aws import sagemaker
from tools.console import table
from tools.errors import UserError
from tools.imports import buckets, endpoints, inventory, notebooks, security_groups
from tools.imports.destination import Destination
from tools.imports.inventory import Inventory
from tools.imports.request import ENDPOINTS, GROUPS, IAM, S3

_REQUESTS = 8  # at once
# Notebooks, each of which takes a call: SageMaker's listing says neither role nor groups.
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_NotebookInstanceSummary.html
_MOST_DESCRIBED = 200
_PLACEHOLDER = "PURPOSE"


@dataclass(frozen=True)
class Candidate:
    """Something that no state holds, with the command that imports it and the stack to hold it.

    `kind` is bucket, role, security-group, endpoint or notebook. If it cannot be imported, `why`
    says so, and `stack` and `command` are empty.
    """

    kind: str
    name: str
    detail: str
    stack: str = ""
    command: str = ""
    why: str = ""


def find_candidates(destination: Destination) -> list[Candidate]:
    """Returns candidates in the order to import them: what others need comes first.

    Raises UserError if AWS cannot be asked, or a state cannot be read.
    """
    managed = inventory.read(destination.records, destination.records.stacks)
    names = sorted(sagemaker.instances_by_name(destination.cloud))
    free = [name for name in names if not managed.find("aws_sagemaker_notebook_instance", name)]
    with ThreadPoolExecutor(_REQUESTS) as pool:
        described = list(
            pool.map(lambda name: notebooks.describe(destination, name), free[:_MOST_DESCRIBED])
        )
    instances = [instance for instance in described if instance]
    vpcs = security_groups.vpcs_by_group(destination)
    vpc = destination.vpc or _vpc_of(instances, vpcs) or destination.default_vpc()
    working = endpoints.list_working(destination, vpc) if vpc else []
    return [
        *_buckets(destination, managed),
        *_roles(destination, managed, instances),
        *_groups(destination, managed, vpcs, "notebooks", _groups_of_notebooks(instances)),
        *_groups(destination, managed, vpcs, "endpoints", _groups_of_endpoints(working)),
        *_endpoints(destination, managed, working),
        *(_notebook(destination, instance) for instance in instances),
        *(
            _importable(destination, "notebook", name, "", f"notebooks/{name}")
            for name in free[len(described) :]
        ),
    ]


def unread_stacks(destination: Destination) -> list[str]:
    """Returns the stacks that were left out, since their files do not say where their state is."""
    records = destination.records
    return [stack.name for stack in records.stacks if records.place(stack) is None]


def _importable(
    destination: Destination, kind: str, name: str, detail: str, stack: str, arguments: str = ""
) -> Candidate:
    command = f"tools import {kind} {name}{arguments}{destination.option}"
    return Candidate(kind, name, detail, stack, command)


def _buckets(destination: Destination, managed: Inventory) -> Iterator[Candidate]:
    common = destination.records.repository.common()
    reserved = {common.get("state_bucket"), destination.declared(S3).get("access_log_bucket")}
    all_buckets = buckets.list_buckets(destination)
    logs = buckets.log_buckets(destination, [bucket["Name"] for bucket in all_buckets])
    for bucket in all_buckets:
        name = bucket["Name"]
        is_elsewhere = bucket["BucketRegion"] != destination.cloud.region
        if is_elsewhere or name in reserved or managed.find("aws_s3_bucket", name):
            continue
        why = ""
        with suppress(UserError):  # objects that these credentials cannot list: the import says so
            why = buckets.refusal(destination, name, logs)
        if why:
            yield Candidate("bucket", name, "", why=why)
            continue
        try:
            purpose = buckets.guess_purpose(destination, name)
        except UserError:
            purpose = _PLACEHOLDER
        if any(managed.at(S3, buckets.bucket_address(purpose))):
            purpose = _PLACEHOLDER
        yield _importable(destination, "bucket", name, "", S3, f" --as {purpose}")


def _roles(
    destination: Destination, managed: Inventory, instances: Sequence[Any]
) -> Iterator[Candidate]:
    roles = Counter(instance["RoleArn"].rpartition("/")[2] for instance in instances)
    _, shared = managed.at(IAM, "aws_iam_role.notebook")
    for name, count in roles.most_common():
        if managed.find("aws_iam_role", name):
            continue
        detail = f"of {count} of these notebooks"
        if shared:
            why = f"{IAM} already has {shared}; notebooks with this role keep it"
            yield Candidate("role", name, detail, why=why)
        else:
            yield _importable(destination, "role", name, detail, IAM)


def _groups(
    destination: Destination,
    managed: Inventory,
    vpcs: Mapping[str, str],
    purpose: str,
    used: Counter[str],
) -> Iterator[Candidate]:
    """The security groups of notebooks or endpoints; `used` counts how many have each."""
    _, shared = managed.at(GROUPS, f"aws_security_group.{purpose}")
    for group_id, count in used.most_common():
        if group_id not in vpcs or managed.find("aws_security_group", group_id):
            continue
        detail = f"of {count} of these {purpose}"
        if shared:
            why = f"{GROUPS} already has {shared} for its {purpose}"
            yield Candidate("security-group", group_id, detail, why=why)
        elif destination.vpc and vpcs[group_id] != destination.vpc:
            why = f"it is in {vpcs[group_id]}, but the stacks are in {destination.vpc}"
            yield Candidate("security-group", group_id, detail, why=why)
        else:
            arguments = f" --as {purpose}"
            yield _importable(destination, "security-group", group_id, detail, GROUPS, arguments)


def _groups_of_notebooks(instances: Iterable[Any]) -> Counter[str]:
    return Counter(group for instance in instances for group in instance.get("SecurityGroups", []))


def _groups_of_endpoints(described: Iterable[Any]) -> Counter[str]:
    return Counter(
        group["GroupId"] for endpoint in described for group in endpoint.get("Groups", [])
    )


def _vpc_of(instances: Sequence[Any], vpcs: Mapping[str, str]) -> str | None:
    """The VPC of the group that most notebooks have: that group decides the stacks' VPC."""
    used = _groups_of_notebooks(instances)
    return next((vpcs[group] for group, _ in used.most_common() if group in vpcs), None)


def _endpoints(
    destination: Destination, managed: Inventory, described: Sequence[Any]
) -> Iterator[Candidate]:
    # The gateway last: it takes the others' subnets if the VPC has no default ones.
    for endpoint in sorted(described, key=lambda e: endpoints.endpoint_type(e) == "Gateway"):
        endpoint_id, service = endpoint["VpcEndpointId"], endpoint["ServiceName"]
        if managed.find("aws_vpc_endpoint", endpoint_id):
            continue
        try:
            short = endpoints.short_name(destination, endpoint)
        except UserError as error:
            yield Candidate("endpoint", endpoint_id, service, why=str(error))
            continue
        _, other = managed.at(ENDPOINTS, endpoints.address(short))
        if other:
            why = f"{ENDPOINTS} already has {other} for {short}"
            yield Candidate("endpoint", endpoint_id, service, why=why)
        else:
            yield _importable(destination, "endpoint", endpoint_id, service, ENDPOINTS)


def _notebook(destination: Destination, instance: Mapping[str, Any]) -> Candidate:
    name = instance["NotebookInstanceName"]
    detail = f"{instance['InstanceType']}, {instance['NotebookInstanceStatus']}"
    try:
        notebooks.check(destination, name, instance)
    except UserError as error:
        return Candidate("notebook", name, detail, why=str(error))
    directory = notebooks.directory_of(destination, name) or name
    if destination.records.repository.instance_names().get(directory, name) != name:
        directory = "DIRECTORY"
    arguments = "" if directory == name else f" --directory {directory}"
    return _importable(destination, "notebook", name, detail, f"notebooks/{directory}", arguments)


def show(candidates: Sequence[Candidate]) -> None:
    """Prints a line for each candidate on stdout, and their number on stderr."""
    table.show(
        (c.kind, c.name, c.detail, c.stack if c.command else "", c.command or c.why)
        for c in candidates
    )
    importable = sum(bool(candidate.command) for candidate in candidates)
    click.echo(
        f"{importable} can be imported, of {len(candidates)} that no state here holds"
        if candidates
        else "every resource that the stacks could import is in their states",
        err=True,
    )
