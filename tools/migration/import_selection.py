"""Which resources of an old deployment are imported: its notebooks, and what becomes shared."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from tools.imports.endpoints import is_supported, short_service
from tools.migration import purposes
from tools.migration.legacy import Resource
from tools.migration.mapping import MappedResource, MappingScope
from tools.migration.resource_types import BUCKET, ENDPOINT, GROUP, NOTEBOOK, ROLE, STACKS


def select_imports(
    resources: Sequence[Resource], scope: MappingScope, log_senders: Mapping[str, Resource]
) -> list[MappedResource]:
    """Returns what becomes of each resource of a type that the stacks have.

    `log_senders` is bucket name to a resource that sends logs there.
    """

    def of_type(type: str) -> list[Resource]:
        return [resource for resource in resources if resource.type == type]

    # Notebooks first: what they use is what the shared stacks are to hold.
    notebooks = _notebooks(of_type(NOTEBOOK))
    instances = [row.resource for row in notebooks if row.disposition == "imported"]
    groups = _groups(of_type(GROUP), instances, of_type(ENDPOINT))
    return [
        *notebooks,
        *_roles(of_type(ROLE), instances),
        *groups,
        *_endpoints(of_type(ENDPOINT), groups, scope.region),
        *_buckets(of_type(BUCKET), scope, log_senders),
    ]


def _imported(resource: Resource, key: str = "", reason: str = "") -> MappedResource:
    return MappedResource(resource, "imported", STACKS[resource.type], key, reason)


def _stays(resource: Resource, reason: str) -> MappedResource:
    return MappedResource(resource, "stays", reason=reason)


def _notebooks(notebooks: Iterable[Resource]) -> list[MappedResource]:
    return [
        MappedResource(notebook, "imported", f"notebooks/{notebook.text('name')}")
        if notebook.text("subnet_id")
        else _stays(
            notebook,
            "it is in no subnet, but every notebook here is: Terraform would replace it and its "
            "volume would be lost; copy its files, then make a new one",
        )
        for notebook in notebooks
    ]


def _roles(roles: Sequence[Resource], instances: Sequence[Resource]) -> Iterable[MappedResource]:
    used = Counter(instance.text("role_arn") for instance in instances)
    shared_role, equals = _most_used(roles, lambda role: used[role.text("arn")])
    if shared_role is None and not instances:
        trusting = [role for role in roles if _trusts_sagemaker(role)]
        shared_role = trusting[0] if len(trusting) == 1 else None
    for role in roles:
        if role is shared_role:
            yield _imported(role, reason=_tie(role, equals, "notebooks have"))
        elif used[role.text("arn")]:
            yield _stays(role, "its notebooks name it (role_arn)")
        else:
            yield _stays(role, "no notebook uses it")


def _groups(
    groups: Sequence[Resource], instances: Iterable[Resource], endpoints: Iterable[Resource]
) -> list[MappedResource]:
    """First the groups that are imported. A group of both becomes that of the notebooks."""
    by_notebooks = Counter(
        group_id for instance in instances for group_id in instance.texts("security_groups")
    )
    by_endpoints = Counter(
        group for endpoint in endpoints for group in endpoint.texts("security_group_ids")
    )
    mapped: list[MappedResource] = []
    first, equals = _most_used(groups, lambda group: by_notebooks[group.text("id")])
    if first:
        mapped.append(_imported(first, "notebooks", _tie(first, equals, "notebooks have")))
    vpc = first.text("vpc_id") if first else ""
    others = [group for group in groups if group is not first and vpc in ("", group.text("vpc_id"))]
    second, equals = _most_used(others, lambda group: by_endpoints[group.text("id")])
    if second:
        mapped.append(_imported(second, "endpoints", _tie(second, equals, "endpoints have")))
    return [
        *mapped,
        *(
            _stays(
                group,
                "two groups are shared here, and these are others"
                if by_notebooks[group.text("id")] + by_endpoints[group.text("id")]
                else "no notebook or endpoint uses it",
            )
            for group in groups
            if group not in (first, second)
        ),
    ]


def _endpoints(
    endpoints: Sequence[Resource], mapped_groups: Sequence[MappedResource], region: str
) -> Iterable[MappedResource]:
    shared_vpcs = [
        group.resource.text("vpc_id") for group in mapped_groups if group.disposition == "imported"
    ]
    counted = Counter(endpoint.text("vpc_id") for endpoint in endpoints).most_common()
    vpc = (shared_vpcs[0] if shared_vpcs else "") or (counted[0][0] if counted else "")
    tied = {other for other, count in counted if not shared_vpcs and count == counted[0][1]}
    by_service: dict[str, MappedResource] = {}
    for endpoint in endpoints:
        if endpoint.text("vpc_id") != vpc:
            reason = f"it is in {endpoint.text('vpc_id')}, but the stacks are in {vpc}"
            if endpoint.text("vpc_id") in tied:
                reason += f" (as many endpoints are in each; --leave those of {vpc} for this one)"
            yield _stays(endpoint, reason)
            continue
        service, reason = _service(endpoint, region)
        if not reason and service in by_service:
            other = by_service[service].address
            reason = (
                f"{other} is for the same service, and one is shared here: the first by address; "
                f"to share this one: --leave '{other}'"
            )
        if reason:
            # Notebooks may use it all the same: routes and names of their VPC lead there.
            yield MappedResource(endpoint, "network", reason=reason)
        else:
            by_service[service] = _imported(endpoint, service)
            yield by_service[service]


def _buckets(
    buckets: Sequence[Resource], scope: MappingScope, log_senders: Mapping[str, Resource]
) -> Iterable[MappedResource]:
    shared_buckets = []
    for bucket in buckets:
        name = bucket.text("bucket")
        if name == scope.state_bucket:
            reason = "the old deployment's state is in it, which no notebook may read"
            yield _stays(bucket, reason)
        elif name in log_senders and name not in scope.choices.purposes:
            sender = log_senders[name]
            reason = f"it receives the logs of {sender.address}, which no notebook may write"
            if sender.type.startswith(BUCKET):
                reason += f"; name it as access_log_bucket of {STACKS[BUCKET]}"
            yield _stays(bucket, reason)
        else:
            shared_buckets.append(bucket)
    by_name, ties = purposes.assign(shared_buckets, scope.choices.purposes)
    for bucket in shared_buckets:
        name = bucket.text("bucket")
        yield _imported(bucket, by_name[name], ties.get(name, ""))


def _most_used(
    resources: Iterable[Resource], count: Callable[[Resource], int]
) -> tuple[Resource | None, list[Resource]]:
    """The first resource with the highest count, None if that is zero; others with that count."""
    counts = [(count(resource), resource) for resource in resources]
    most = max((number for number, _ in counts), default=0)
    best = [resource for number, resource in counts if most and number == most]
    return (best[0] if best else None), best[1:]


def _tie(chosen: Resource, equals: Sequence[Resource], have: str) -> str:
    """What to say of a choice that only the order of addresses has made; empty if it is none."""
    if not equals:
        return ""
    addresses = ", ".join(resource.address for resource in equals)
    return (
        f"as many {have} {addresses}, and this comes first by its address; to share another one: "
        f"--leave '{chosen.address}'"
    )


def _trusts_sagemaker(role: Resource) -> bool:
    try:
        trust = json.loads(role.text("assume_role_policy"))
    except ValueError:
        return False
    return "sagemaker.amazonaws.com" in json.dumps(trust)


def _service(endpoint: Resource, region: str) -> tuple[str, str]:
    """The short name of an endpoint's service, and why no stack here has it, empty if one has."""
    name = endpoint.text("service_name")
    type = endpoint.text("vpc_endpoint_type") or "Gateway"
    short = short_service(name, region)
    if not short:
        return name, f"{name} is not a service that {STACKS[ENDPOINT]} makes an endpoint for"
    if is_supported(type, short):
        return short, ""
    return short, f"{STACKS[ENDPOINT]} makes no endpoint of type {type} for {short}"
