"""What of an account and region the stacks could take, and do not hold."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

import click

from tools.aws import sagemaker
from tools.console import table
from tools.errors import UserError
from tools.imports import buckets, endpoints, inventory, notebooks, security_groups
from tools.imports.destination import Site
from tools.imports.inventory import Held
from tools.imports.request import ENDPOINTS, GROUPS, IAM, S3

_REQUESTS = 8  # at once
_MOST_DESCRIBED = 200  # notebooks, of which each is a call


@dataclass(frozen=True)
class Candidate:
    """Something that no state holds, and the stack that would take it by the command.

    `kind` is bucket, role, security-group, endpoint or notebook. Where nothing can take it, `why`
    says so, and `stack` and `command` are empty.
    """

    kind: str
    name: str
    detail: str
    stack: str = ""
    command: str = ""
    why: str = ""


def candidates(site: Site) -> list[Candidate]:
    """In the order in which they are best taken: what others need first.

    Raises UserError where AWS cannot be asked, or a state cannot be read.
    """
    there = inventory.read(site.records, site.records.stacks)
    found = sorted(sagemaker.listed(site.cloud).items())
    free = [name for name, _ in found if not there.find("aws_sagemaker_notebook_instance", name)]
    with ThreadPoolExecutor(_REQUESTS) as pool:
        described = list(pool.map(lambda name: _described(site, name), free[:_MOST_DESCRIBED]))
    known = [one for one in described if one]
    vpcs = security_groups.vpcs(site)
    links = _endpoints(site, site.vpc or _vpc_of(known, vpcs) or _default_vpc(site))
    return [
        *_buckets(site, there),
        *_roles(site, there, known),
        *_groups(site, there, known, links, vpcs),
        *_links(site, there, links),
        *(_notebook(site, one) for one in known),
        *(
            _candidate(site, "notebook", name, "", f"notebooks/{name}")
            for name in free[len(described) :]
        ),
    ]


def unread(site: Site) -> list[str]:
    """The stacks whose states are not looked into, since nothing here tells where they lie."""
    records = site.records
    return [stack.name for stack in records.stacks if records.place(stack) is None]


def _candidate(
    site: Site, kind: str, name: str, detail: str, stack: str, more: str = ""
) -> Candidate:
    command = f"tools import {kind} {name}{more}{site.option}"
    return Candidate(kind, name, detail, stack, command)


def _described(site: Site, name: str) -> Any:
    return site.ask(
        f"describe notebook {name}",
        "sagemaker",
        "describe_notebook_instance",
        NotebookInstanceName=name,
    )


def _buckets(site: Site, there: Held) -> Iterator[Candidate]:
    common = site.records.repository.common()
    kept = {common.get("state_bucket"), site.declared(S3).get("access_log_bucket")}
    listed = buckets.every(site)
    receiving = buckets.receiving_logs(site, [one["Name"] for one in listed])
    for one in listed:
        name = one["Name"]
        is_far = one["BucketRegion"] != site.cloud.region
        if is_far or name in kept or there.find("aws_s3_bucket", name):
            continue
        why = ""
        with suppress(UserError):  # one whose objects we must not list; an import says so
            why = buckets.why_not_shared(site, name, receiving)
        if why:
            yield Candidate("bucket", name, "", why=why)
            continue
        try:
            purpose = buckets.purpose_of(site, name)
        except UserError:
            purpose = "PURPOSE"
        if f'aws_s3_bucket.shared["{purpose}"]' in there.stacks.get(S3, {}):
            purpose = "PURPOSE"
        yield _candidate(site, "bucket", name, "", S3, f" --as {purpose}")


def _roles(site: Site, there: Held, known: Sequence[Any]) -> Iterator[Candidate]:
    used = Counter(one["RoleArn"].rpartition("/")[2] for one in known)
    for name, times in used.most_common():
        if there.find("aws_iam_role", name):
            continue
        detail = f"of {times} of these notebooks"
        taken = there.stacks.get(IAM, {}).get("aws_iam_role.notebook")
        if taken:
            why = f"{IAM} has {taken[1]}; notebooks that have this one keep it"
            yield Candidate("role", name, detail, why=why)
        else:
            yield _candidate(site, "role", name, detail, IAM)


def _groups(
    site: Site,
    there: Held,
    known: Sequence[Any],
    links: Sequence[Any],
    vpcs: Mapping[str, str],
) -> Iterator[Candidate]:
    of_notebooks = _used_groups(known)
    of_links = Counter(group["GroupId"] for one in links for group in one.get("Groups", []))
    for purpose, used, things in (
        ("notebooks", of_notebooks, "notebooks"),
        ("endpoints", of_links, "endpoints"),
    ):
        for id, times in used.most_common():
            if id not in vpcs or there.find("aws_security_group", id):
                continue
            detail = f"of {times} of these {things}"
            taken = there.stacks.get(GROUPS, {}).get(f"aws_security_group.{purpose}")
            if taken:
                why = f"{GROUPS} has {taken[1]} for its {things}"
                yield Candidate("security-group", id, detail, why=why)
            elif site.vpc and vpcs[id] != site.vpc:
                why = f"it is in {vpcs[id]}, and the stacks are in {site.vpc}"
                yield Candidate("security-group", id, detail, why=why)
            else:
                more = f" --as {purpose}"
                yield _candidate(site, "security-group", id, detail, GROUPS, more)


def _vpc_of(known: Sequence[Any], vpcs: Mapping[str, str]) -> str | None:
    """The VPC of the group that most notebooks have: the stacks take it with that group."""
    used = _used_groups(known)
    return next((vpcs[group] for group, _ in used.most_common() if group in vpcs), None)


def _used_groups(known: Sequence[Any]) -> Counter[str]:
    """How many of the notebooks have each group."""
    return Counter(group for one in known for group in one.get("SecurityGroups", []))


def _endpoints(site: Site, vpc: str) -> list[Any]:
    """Those in `vpc` that work; none where it is empty."""
    if not vpc:
        return []
    filters = [{"Name": "vpc-id", "Values": [vpc]}]
    what = "list the VPC's endpoints"
    found = site.every(what, "ec2", "describe_vpc_endpoints", "VpcEndpoints", Filters=filters)
    return endpoints.working(found)


def _default_vpc(site: Site) -> str:
    filters = [{"Name": "is-default", "Values": ["true"]}]
    found = site.every("find the default VPC", "ec2", "describe_vpcs", "Vpcs", Filters=filters)
    return str(found[0]["VpcId"]) if found else ""


def _links(site: Site, there: Held, links: Sequence[Any]) -> Iterator[Candidate]:
    # The gateway last: it takes the others' subnets where the VPC has none by default.
    for one in sorted(links, key=lambda one: endpoints.kind(one) == "Gateway"):
        id, service = one["VpcEndpointId"], one["ServiceName"]
        if there.find("aws_vpc_endpoint", id):
            continue
        try:
            short = endpoints.short_name(site, one)
        except UserError as error:
            yield Candidate("endpoint", id, service, why=str(error))
            continue
        taken = there.stacks.get(ENDPOINTS, {}).get(endpoints.address(short))
        if taken:
            why = f"{ENDPOINTS} has {taken[1]} for {short}"
            yield Candidate("endpoint", id, service, why=why)
        else:
            yield _candidate(site, "endpoint", id, service, ENDPOINTS)


def _notebook(site: Site, found: Mapping[str, Any]) -> Candidate:
    name = found["NotebookInstanceName"]
    detail = f"{found['InstanceType']}, {found['NotebookInstanceStatus']}"
    try:
        notebooks.check(site, name, found)
    except UserError as error:
        return Candidate("notebook", name, detail, why=str(error))
    instances_here = site.records.repository.instance_names()
    directory = next((where for where, own in instances_here.items() if own == name), name)
    more = "" if directory == name else f" --directory {directory}"
    if instances_here.get(directory, name) != name:
        more = " --directory DIRECTORY"
        directory = "DIRECTORY"
    return _candidate(site, "notebook", name, detail, f"notebooks/{directory}", more)


def show(found: Sequence[Candidate]) -> None:
    """A line for each on stdout, the sum on stderr."""
    table.show(
        (one.kind, one.name, one.detail, one.stack if one.command else "", one.command or one.why)
        for one in found
    )
    takeable = sum(bool(one.command) for one in found)
    click.echo(
        f"{takeable} could be taken, of {len(found)} that no state here holds"
        if found
        else "everything that stacks here could take is in their states",
        err=True,
    )


def print_json(found: Sequence[Candidate]) -> None:
    """As docs/json.md says."""
    click.echo(json.dumps([asdict(one) for one in found], indent=2))
