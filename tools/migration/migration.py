"""An old deployment beside AWS and the stacks here: what would take what, and what is refused."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from tools.errors import UserError
from tools.hcl.reading import Value
from tools.imports import buckets, endpoints, inventory, notebooks, request, roles, security_groups
from tools.imports.destination import Site
from tools.imports.notebooks import Shared
from tools.imports.request import ENDPOINTS, GROUPS, IAM, S3, Takeover
from tools.layout.stack import FOLDERS
from tools.migration import mapping, quota, table
from tools.migration.legacy import Old, Resource
from tools.migration.mapping import (
    BUCKET,
    ENDPOINT,
    GROUP,
    NOTEBOOK,
    ROLE,
    Before,
    Choices,
    Mapped,
    Row,
)


@dataclass(frozen=True)
class Migration:
    """What becomes of an old deployment: each resource's row, and what is taken over of them.

    `addresses` are the new ones, after their stacks, by the old ones.
    """

    old: Old
    rows: Sequence[Row]
    takeover: Takeover
    addresses: Mapping[str, str]


def of(site: Site, old: Old, choices: Choices, earlier: Before) -> Migration:
    """The migration of `old` to the stacks of `site`; asks AWS, writes nothing.

    `earlier` is what scripts of earlier ones say.

    Raises UserError where `old` is a stack of this repository, lies elsewhere, holds nothing that
    fits, or where AWS has not, or not so, what its state says.
    """
    _refuse_own(site, old)
    account = str(site.ask("ask whose account this is", "sts", "get_caller_identity")["Account"])
    before = replace(earlier, here=_held_here(site, old))
    found = mapping.mapped(old.resources, site.cloud.region, account, choices, old.bucket, before)
    if not any(row.fate == "imported" for row in found.rows):
        kinds = "bucket, role, security group, endpoint or notebook instance"
        raise UserError(
            f"{old.where} holds no {kinds} that the stacks here could take: nothing to migrate"
        )
    takeover = _Building(site, found).takeover()
    takeover = replace(takeover, notes=(*takeover.notes, *table.staying(found.rows)))
    return Migration(old, found.rows, takeover, _addresses(found.rows, takeover))


def _refuse_own(site: Site, old: Old) -> None:
    """A stack of this repository is no old deployment, wherever its state was copied to."""
    root = site.records.repository.root
    folder = (old.folder or Path(old.where)).resolve()
    inside = any(folder.is_relative_to((root / name).resolve()) for name in FOLDERS)
    states = ((stack, site.records.state(stack)) for stack in site.records.stacks)
    own = next(
        (stack.name for stack, state in states if state and state.lineage == old.lineage), ""
    )
    if inside or own:
        raise UserError(
            f"{old.where} is the state of {own or folder}, a stack of this repository already; "
            "give the old deployment's"
        )


def _held_here(site: Site, old: Old) -> list[Resource]:
    """What the stacks hold of the kinds that are taken, and `old` has not, or not any more."""
    kinds = {*mapping.STACKS, NOTEBOOK}
    there = {(one.type, one.text("id") or _own_name(one)) for one in old.resources}
    stacks = inventory.read(site.records, site.records.stacks).stacks
    return [
        Resource(f"{stack} {address}", kind, {"id": id, "name": id, "bucket": id})
        for stack, addresses in stacks.items()
        for address, (kind, id) in addresses.items()
        if kind in kinds and (kind, id) not in there
    ]


def _own_name(one: Resource) -> str:
    return one.text("bucket") if one.type == BUCKET else one.text("name")


def _addresses(rows: Sequence[Row], takeover: Takeover) -> dict[str, str]:
    """Where each resource of the old state is taken: by the same type and identifier.

    A rule has a type of its own here, and the same identifier in AWS.
    """
    new = {(one.type, one.identifier): f"{one.stack} {one.address}" for one in takeover.adoptions}
    rules = {id: address for (_, id), address in new.items() if id.startswith("sgr-")}
    found = {}
    for row in rows:
        one = row.resource
        names = {one.text(attribute) for attribute in ("id", "name", "bucket")}
        taken = [new[one.type, name] for name in names if (one.type, name) in new]
        taken += filter(None, [rules.get(one.text("security_group_rule_id"))])
        if taken and row.fate in ("imported", "inside"):
            found[one.address] = taken[0]
    return found


class _Building:
    """Asks AWS for each imported resource; what is wrong with any is told at once."""

    def __init__(self, site: Site, found: Mapped) -> None:
        self._site = site
        self._found = found
        self._wrong: list[tuple[str, str]] = []

    def takeover(self) -> Takeover:
        """Shared stacks first: notebooks name what these will not give them."""
        site, found = self._site, self._found
        group = {row.key: row.resource.text("id") for row in found.of(GROUP)}
        shared = [
            *self._each(BUCKET, lambda row: buckets.bucket(site, _name(row, "bucket"), row.key)),
            *self._each(ROLE, lambda row: roles.role(site, _name(row, "name"))),
            *self._each(GROUP, lambda row: self._group(row, group)),
            *self._each(
                ENDPOINT,
                lambda row: endpoints.endpoint(
                    site, _name(row, "id"), group.get("endpoints"), self._network()
                ),
            ),
        ]
        self._refuse_wrong()
        together = self._with_network(request.combined(shared))
        given = self._shared(together, group)
        own = self._each(NOTEBOOK, lambda row: notebooks.notebook(site, _name(row, "name"), given))
        self._refuse_wrong()
        everything = request.combined([together, *own])
        more = (*self._new_endpoints(everything), *self._too_many_policies(everything))
        return replace(everything, notes=(*everything.notes, *more))

    def _too_many_policies(self, takeover: Takeover) -> list[str]:
        """A note where AWS would refuse the deployment of the role's stack."""
        site, notes = self._site, []
        keys = site.outputs(S3).get("kms_key_arns") or site.declared(IAM).get("kms_key_arns")
        key = site.declared(S3).get("kms_key_arn") or takeover.values.get(S3, {}).get("kms_key_arn")
        fence = bool(site.declared(IAM).get("reserve_users"))
        resources = [row.resource for row in self._found.rows]
        for row in self._found.of(ROLE):
            name = _name(row, "name")
            attached = site.every(
                f"read the policies of role {name}",
                "iam",
                "list_attached_role_policies",
                "AttachedPolicies",
                RoleName=name,
            )
            there = quota.attached(row.resource, resources)
            there |= {str(policy["PolicyArn"]) for policy in attached}
            own = quota.own(site.project, has_keys=bool(keys or key), has_fence=fence)
            notes += quota.note(name, there, own)
        return notes

    def _each(self, kind: str, build: Callable[[Row], Takeover]) -> list[Takeover]:
        built = []
        for row in self._found.of(kind):
            try:
                built.append(build(row))
            except UserError as error:
                self._wrong.append((row.resource.address, str(error)))
        return built

    def _refuse_wrong(self) -> None:
        if self._wrong:
            told = "; ".join(f"{address}: {error}" for address, error in self._wrong)
            leave = " ".join(f"--leave '{address}'" for address, _ in self._wrong)
            raise UserError(f"{told}; nothing was written. To migrate the rest: {leave}")

    def _group(self, row: Row, group: Mapping[str, str]) -> Takeover:
        other = next((id for purpose, id in group.items() if purpose != row.key), None)
        return security_groups.security_group(self._site, _name(row, "id"), row.key, other)

    def _network(self) -> list[str]:
        """Subnets for the stacks: the one of most notebooks first, which new notebooks get."""
        used = Counter(_name(row, "subnet_id") for row in self._found.of(NOTEBOOK))
        first = max(sorted(used), key=lambda subnet: used[subnet], default=None)
        of_endpoints = [row.resource.texts("subnet_ids") for row in self._found.of(ENDPOINT)]
        shared = next(filter(None, of_endpoints), [first] if first else [])
        return sorted(shared, key=lambda subnet: subnet != first)

    def _with_network(self, together: Takeover) -> Takeover:
        """With the subnets in their order, and the VPC where nothing else says which it is."""
        subnets = self._network()
        if not subnets:
            return together
        values = {stack: dict(own) for stack, own in together.values.items()}
        said = values.get(ENDPOINTS, {}).get("subnet_ids")
        if not self._subnets() or (isinstance(said, list) and set(said) == set(subnets)):
            values.setdefault(ENDPOINTS, {})["subnet_ids"] = subnets
        for stack, own in self._vpc_of(subnets[0], values).items():
            values[stack] = {**values.get(stack, {}), **own}
        return replace(together, values=values)

    def _subnets(self) -> list[str]:
        """Those that the stacks have already."""
        declared = self._site.declared(ENDPOINTS).get("subnet_ids")
        found = declared or self._site.outputs(ENDPOINTS).get("subnet_ids")
        return list(found) if isinstance(found, list) else []

    def _vpc_of(
        self, subnet: str, values: Mapping[str, Mapping[str, Value]]
    ) -> Mapping[str, Mapping[str, Value]]:
        """The VPC of the notebooks as that of the stacks, where nothing else has said which."""
        if "vpc_id" in values.get(GROUPS, {}):
            return {}
        about = f"look for {subnet}"
        found = self._site.ask(about, "ec2", "describe_subnets", SubnetIds=[subnet])
        if not found:
            return {}  # the notebook in it says so
        vpc = str(found["Subnets"][0]["VpcId"])
        return self._site.check_vpc(f"the notebooks' {subnet}", vpc)

    def _new_endpoints(self, takeover: Takeover) -> list[str]:
        """Notes about endpoints that a deployment would make: each is paid for, or in the way."""
        declared = self._site.declared(ENDPOINTS)
        own = takeover.values.get(ENDPOINTS, {})
        said = (declared.get("interface_services"), own.get("interface_services"))
        services = {str(one) for listed in said if isinstance(listed, list) for one in listed}
        services |= {"s3"} if declared.get("create_s3_gateway") else set()
        missing = services - {row.key for row in self._found.of(ENDPOINT)}
        missing -= set(self._site.outputs(ENDPOINTS).get("endpoint_ids", {}))
        vpc = takeover.values.get(GROUPS, {}).get("vpc_id") or self._site.vpc
        there = self._endpoints_in(str(vpc)) if vpc and missing else {}
        rows = {row.resource.text("id"): row for row in self._found.rows}
        return [self._new_endpoint(one, there.get(one), rows) for one in sorted(missing)]

    def _new_endpoint(self, service: str, there: str | None, rows: Mapping[str, Row]) -> str:
        if there is None:
            return (
                f"{service}: shared-infra/vpc-endpoints makes an endpoint that the old deployment "
                "has not; interface_services says for which services it does"
            )
        take = f"tools import endpoint{self._site.option} {there}"
        row = rows.get(there)
        if row is None:
            return (
                f"{service}: {there} is in the VPC already and not in the old state; take it "
                f"before a deployment: {take}"
            )
        why = "left out by --leave" if mapping.is_left(row) else f"not taken ({row.reason})"
        no = "set create_s3_gateway = false"
        if service != "s3":
            no = f"take {service} out of interface_services"
        return (
            f"{service}: {there} ({row.resource.address}) is {why}; a deployment would make a "
            f"second one in the VPC: {no} first, or take this one: {take}"
        )

    def _endpoints_in(self, vpc: str) -> dict[str, str]:
        filters = [{"Name": "vpc-id", "Values": [vpc]}]
        found = self._site.every(
            f"list the endpoints of {vpc}",
            "ec2",
            "describe_vpc_endpoints",
            "VpcEndpoints",
            Filters=filters,
        )
        there = {}
        for one in endpoints.working(found):
            with suppress(UserError):  # one that no stack here could have
                there[endpoints.short_name(self._site, one)] = str(one["VpcEndpointId"])
        return there

    def _shared(self, together: Takeover, group: Mapping[str, str]) -> Shared:
        """What the shared stacks will give to notebooks, once they hold what is imported.

        `group` is purpose to the id of the security group that is imported for it.
        """
        role, own = self._site.outputs(IAM).get("role_arn"), self._found.of(ROLE)
        subnets = together.values.get(ENDPOINTS, {}).get("subnet_ids") or self._subnets()
        return Shared(
            own[0].resource.text("arn") if own else role,
            str(subnets[0]) if isinstance(subnets, list) and subnets else None,
            group.get("notebooks") or self._site.outputs(GROUPS).get("notebook_security_group_id"),
            group.get("endpoints") or self._site.outputs(GROUPS).get("endpoint_security_group_id"),
        )


def _name(row: Row, attribute: str) -> str:
    return row.resource.text(attribute)
