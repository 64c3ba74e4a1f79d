"""What becomes of each resource of an old deployment: told from its state alone."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Literal

from tools.errors import UserError
from tools.imports.endpoints import short_of
from tools.migration import dependencies, purposes
from tools.migration.legacy import Resource

BUCKET = "aws_s3_bucket"
ROLE = "aws_iam_role"
GROUP = "aws_security_group"
ENDPOINT = "aws_vpc_endpoint"
NOTEBOOK = "aws_sagemaker_notebook_instance"

STACKS = {
    BUCKET: "shared-infra/s3",
    ROLE: "shared-infra/iam",
    GROUP: "shared-infra/security-groups",
    ENDPOINT: "shared-infra/vpc-endpoints",
}

_KMS = "aws_kms_"
_KEY = (
    "it stays in AWS, outside of Terraform: data may be encrypted with it, which no state says, "
    "and without it nobody could read them again"
)
_UNKNOWN = (
    "what uses it cannot be told: a part of this deployment, or another, was migrated before; "
    "--leave it where nothing does"
)
_LEFT = "left, as --leave says"

# What others use without being a part of the same state for ever.
_SHAREABLE = frozenset(
    {
        BUCKET,
        GROUP,
        ROLE,
        "aws_iam_policy",
        "aws_sagemaker_code_repository",
        "aws_sagemaker_notebook_instance_lifecycle_configuration",
    }
)

# imported: a stack here manages it from then on. inside: part of something imported. used: the new
# deployment needs it, or may, and nothing here manages it. network: the same, of the network, which
# is the user's own. stays: with the old deployment.
Fate = Literal["imported", "inside", "used", "network", "stays"]


@dataclass(frozen=True)
class Choices:
    """What the user says about the mapping: bucket to purpose, and addresses (globs) to leave."""

    purposes: Mapping[str, str] = field(default_factory=dict)
    leave: Sequence[str] = ()


@dataclass(frozen=True)
class Before:
    """What was migrated of the old deployment before, which its state may not witness any more.

    `script` is where the earlier script lies, `fates` what that says of each address, and `here`
    what the stacks here hold and the old state has not.
    """

    script: str = ""
    fates: Mapping[str, Fate] = field(default_factory=dict)
    here: Sequence[Resource] = ()

    @property
    def is_rerun(self) -> bool:
        return bool(self.script or self.here)


@dataclass(frozen=True)
class Row:
    """A resource and what becomes of it.

    `to` is the stack that takes it, or the address in the old deployment of what it is a part of.
    `key` is what it is there: a bucket's purpose, a group's (notebooks, endpoints), a service.
    """

    resource: Resource
    fate: Fate
    to: str = ""
    key: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Mapped:
    """Every resource's row, those of each fate in the order of their addresses."""

    rows: Sequence[Row]

    def of(self, kind: str) -> list[Row]:
        """The imported ones of a type."""
        return [row for row in self.rows if row.fate == "imported" and row.resource.type == kind]


def mapped(
    resources: Sequence[Resource],
    region: str,
    account: str,
    choices: Choices,
    state_bucket: str,
    before: Before | None = None,
) -> Mapped:
    """The mapping of an old deployment onto the stacks here, which lie in `region` of `account`.

    `state_bucket` is where the old state lies, if in a bucket. Raises UserError where all of it
    lies in another account or region, where a choice names nothing, and where something that
    would be imported is not whole.
    """
    ordered = sorted(resources, key=lambda one: one.address)
    _check_choices(ordered, choices)
    _check_place(ordered, region, account)
    mapping = _Mapping(ordered, region, account, choices, state_bucket, before or Before())
    rows = mapping.rows()
    for row in rows:
        if row.fate == "imported" and row.resource.trouble:
            raise UserError(
                f"{row.resource.address}: {row.resource.trouble}; end that first, with plan and "
                "apply (or untaint) in the old deployment, or leave it: --leave ADDRESS"
            )
    return Mapped(rows)


def _check_choices(resources: Sequence[Resource], choices: Choices) -> None:
    buckets = {one.text("bucket") for one in resources if one.type == BUCKET}
    for name in choices.purposes:
        if name not in buckets:
            there = ", ".join(sorted(buckets)) or "none"
            raise UserError(f"--bucket {name}: the old state has no such bucket; it has {there}")
    for pattern in choices.leave:
        if not any(_fits(one.address, pattern) for one in resources):
            raise UserError(f"--leave {pattern}: the old state has no such address")


def _fits(address: str, pattern: str) -> bool:
    # An address may hold brackets, which mean a set of characters in a glob.
    return address == pattern or fnmatchcase(address, pattern.replace("[", "[[]"))


def _check_place(resources: Iterable[Resource], region: str, account: str) -> None:
    ours = [one for one in resources if one.type in STACKS or one.type == NOTEBOOK]
    accounts = {one.account for one in ours} - {""}
    if accounts and account not in accounts:
        raise UserError(
            f"the old deployment is in account {', '.join(sorted(accounts))}, and these "
            f"credentials are of {account}; use the others, nothing was asked or written"
        )
    regions = {one.region for one in ours} - {""}
    if regions and region not in regions:
        raise UserError(
            f"the old deployment is in region {', '.join(sorted(regions))}, and "
            f"common.auto.tfvars says {region}; migrate it with a repository of its own region"
        )


class _Mapping:
    """One mapping at work: chooses what is imported, then asks what that uses."""

    def __init__(
        self,
        resources: Sequence[Resource],
        region: str,
        account: str,
        choices: Choices,
        state_bucket: str,
        before: Before,
    ) -> None:
        self._resources = resources
        self._region = region
        self._account = account
        self._choices = choices
        self._state_bucket = state_bucket
        self._before = before
        self._by_address = {one.address: one for one in resources}
        self._rows: dict[str, Row] = {}
        self._open = [one for one in resources if not self._elsewhere(one)]

    def rows(self) -> list[Row]:
        """Notebooks first: what they use is what the shared stacks are to hold."""
        notebooks = self._notebooks()
        self._role(notebooks)
        groups = self._groups(notebooks)
        self._endpoints(groups)
        self._buckets()
        imported = [row.resource for row in self._rows.values() if row.fate == "imported"]
        network = [row.resource for row in self._rows.values() if row.fate == "network"]
        decided = {one.address for one in (*imported, *network)}
        others = [one for one in self._resources if one.address not in decided]
        for address, use in dependencies.of(
            [*imported, *self._before.here], network, others
        ).items():
            self._note(address, use)
        self._keep()
        for one in self._resources:
            if one.address not in self._rows:
                self._stay(one, _why_it_stays(one))
        return [_with_trouble(self._rows[one.address]) for one in self._resources]

    def _note(self, address: str, use: dependencies.Use) -> None:
        row = self._rows.get(address)
        if row is None:
            resource = self._by_address[address]
            self._rows[address] = Row(resource, use.fate, use.of, reason=use.reason)
        elif use.fate != "inside":  # a part that the user leaves goes with the old deployment
            reason = f"{use.reason}; {row.reason}"
            self._rows[address] = Row(row.resource, use.fate, use.of, reason=reason)

    def _keep(self) -> None:
        """Lets go of what may be in use though the state does not say so, and what that needs."""
        kept: dict[Fate, list[Resource]] = {"used": [], "network": []}
        for one in self._resources:
            row = self._rows.get(one.address) or Row(one, "stays")
            fate, why = self._may_be_used(row)
            if fate != row.fate:
                reason = "; ".join(filter(None, (why, row.reason)))
                self._rows[one.address] = Row(one, fate, reason=reason)
                kept[fate].append(one)
        rows = ((one, self._rows.get(one.address)) for one in self._resources)
        others = [one for one, row in rows if row is None or row.fate == "stays"]
        found = dependencies.of([], kept["network"], others, kept["used"])
        for address, use in found.items():
            self._note(address, use)

    def _may_be_used(self, row: Row) -> tuple[Fate, str]:
        """What becomes of a resource that is not known to be in use, and why."""
        one, before = row.resource, self._before
        earlier = before.fates.get(one.address)
        if earlier in ("imported", "inside", "used") and row.fate in ("stays", "network"):
            return "used", f"an earlier script lets it go ({before.script})"
        if row.fate != "stays":
            return row.fate, ""
        if earlier == "network":
            return "network", dependencies.NETWORK_REASON
        if is_left(row):
            return "stays", ""
        if one.type.startswith(_KMS):
            return "used", _KEY
        if before.is_rerun and earlier is None:
            if dependencies.is_network(one.type):
                return "network", f"{dependencies.NETWORK_REASON}; {_UNKNOWN}"
            if one.type in _SHAREABLE:
                return "used", _UNKNOWN
        return "stays", ""

    def _import(self, resource: Resource, stack: str, key: str = "", reason: str = "") -> None:
        self._rows[resource.address] = Row(resource, "imported", stack, key, reason)

    def _stay(self, resource: Resource, reason: str) -> None:
        self._rows[resource.address] = Row(resource, "stays", reason=reason)

    def _elsewhere(self, one: Resource) -> bool:
        """Whether `one` is not for the stacks here, whatever it is; its row says why."""
        if any(_fits(one.address, pattern) for pattern in self._choices.leave):
            self._stay(one, _LEFT)
        elif one.account not in ("", self._account):
            self._stay(one, f"it belongs to account {one.account}")
        elif (one.type in STACKS or one.type == NOTEBOOK) and one.region not in ("", self._region):
            self._stay(one, f"it lies in region {one.region}")
        elif self._was_not_taken(one):
            self._stay(one, f"not taken: {self._before.script} lists it as none that was")
        else:
            return False
        return True

    def _was_not_taken(self, one: Resource) -> bool:
        """Whether it was not to be shared by all, for a reason that the state may have lost."""
        fate = self._before.fates.get(one.address, "imported")
        asked = one.type == BUCKET and one.text("bucket") in self._choices.purposes
        return one.type in STACKS and fate != "imported" and not asked

    def _all(self, kind: str) -> list[Resource]:
        return [one for one in self._open if one.type == kind]

    def _notebooks(self) -> list[Resource]:
        taken = []
        for one in self._all(NOTEBOOK):
            if not one.text("subnet_id"):
                self._stay(
                    one,
                    "it is in no subnet, and every notebook here is: that would replace it and "
                    "lose its volume; copy its files, then make a new one",
                )
            else:
                self._import(one, f"notebooks/{one.text('name')}")
                taken.append(one)
        return taken

    def _role(self, notebooks: Sequence[Resource]) -> None:
        roles = self._all(ROLE)
        used = Counter(one.text("role_arn") for one in notebooks)
        shared = _most(roles, lambda role: used[role.text("arn")])
        if shared is None and not notebooks:
            trusting = [role for role in roles if _trusts_sagemaker(role)]
            shared = trusting[0] if len(trusting) == 1 else None
        for role in roles:
            if role is shared:
                self._import(role, STACKS[ROLE])
            elif used[role.text("arn")]:
                self._stay(role, "its notebooks name it (role_arn)")
            else:
                self._stay(role, "no notebook uses it")

    def _groups(self, notebooks: Sequence[Resource]) -> dict[str, Resource]:
        """The groups that are imported, by purpose."""
        groups = self._all(GROUP)
        of_notebooks = Counter(id for one in notebooks for id in one.texts("security_groups"))
        of_endpoints = Counter(
            id for one in self._all(ENDPOINT) for id in one.texts("security_group_ids")
        )
        found: dict[str, Resource] = {}
        first = _most(groups, lambda group: of_notebooks[group.text("id")])
        if first:
            found["notebooks"] = first
        vpc = first.text("vpc_id") if first else ""
        others = [g for g in groups if g is not first and vpc in ("", g.text("vpc_id"))]
        second = _most(others, lambda group: of_endpoints[group.text("id")])
        # One that notebooks and endpoints have in common is the notebooks'.
        if second:
            found["endpoints"] = second
        for purpose, group in found.items():
            self._import(group, STACKS[GROUP], purpose)
        for group in groups:
            if group.address not in self._rows:
                has = of_notebooks[group.text("id")] + of_endpoints[group.text("id")]
                self._stay(
                    group,
                    "two groups are shared here, and others are used more"
                    if has
                    else "no notebook or endpoint uses it",
                )
        return found

    def _endpoints(self, groups: Mapping[str, Resource]) -> None:
        endpoints = self._all(ENDPOINT)
        vpc = next((group.text("vpc_id") for group in groups.values()), "")
        if not vpc:
            common = Counter(one.text("vpc_id") for one in endpoints).most_common(1)
            vpc = common[0][0] if common else ""
        taken: dict[str, Resource] = {}
        for one in endpoints:
            service, why_not = _service(one, self._region)
            if one.text("vpc_id") != vpc:
                self._stay(one, f"it is in {one.text('vpc_id')}, and the stacks in {vpc}")
                continue
            if not why_not and service in taken:
                other = taken[service].address
                why_not = f"{other} is for the same service, and one is shared here"
            if why_not:
                # Notebooks may use it all the same: their VPC leads there.
                self._rows[one.address] = Row(one, "network", reason=why_not)
            else:
                taken[service] = one
                self._import(one, STACKS[ENDPOINT], service)

    def _buckets(self) -> None:
        buckets = []
        logs = {name: one for one in self._resources for name in dependencies.log_targets(one)}
        for one in self._all(BUCKET):
            name = one.text("bucket")
            asked = name in self._choices.purposes
            if name == self._state_bucket:
                self._stay(one, "the old deployment's state is in it, which no notebook may read")
            elif name in logs and not asked:
                what = f"it receives the logs of {logs[name].address}, which no notebook may write"
                if logs[name].type.startswith(BUCKET):
                    what += "; name it as access_log_bucket of shared-infra/s3"
                self._stay(one, what)
            else:
                buckets.append(one)
        named = purposes.of(buckets, self._choices.purposes)
        for one in buckets:
            self._import(one, STACKS[BUCKET], named[one.text("bucket")])


def is_left(row: Row) -> bool:
    """Whether --leave names it, whatever has become of it."""
    return _LEFT in row.reason


def _with_trouble(row: Row) -> Row:
    told = "; ".join(filter(None, (row.reason, row.resource.trouble)))
    return row if row.fate == "imported" else replace(row, reason=told)


def _most(resources: Iterable[Resource], count: Callable[[Resource], int]) -> Resource | None:
    """The one with the highest count, the first of several by address; None where all have none."""
    found = max(resources, key=count, default=None)
    return found if found and count(found) else None


def _trusts_sagemaker(role: Resource) -> bool:
    try:
        trust = json.loads(role.text("assume_role_policy"))
    except ValueError:
        return False
    return "sagemaker.amazonaws.com" in json.dumps(trust)


def _service(endpoint: Resource, region: str) -> tuple[str, str]:
    """The short name of an endpoint's service, and why no stack here takes it, if so."""
    name = endpoint.text("service_name")
    kind = endpoint.text("vpc_endpoint_type") or "Gateway"
    short = short_of(name, region)
    if not short:
        return name, f"{name} is no service that shared-infra/vpc-endpoints makes an endpoint for"
    if kind == "Gateway" and short == "s3":
        return short, ""
    if kind == "Interface" and short != "s3":
        return short, ""
    return short, f"shared-infra/vpc-endpoints makes no endpoint of type {kind} for {short}"


def _why_it_stays(one: Resource) -> str:
    if one.type in _STAYS:
        return _STAYS[one.type]
    return f"no stack here makes {one.type}, and nothing that is imported uses it"


_STAYS = {
    "aws_cloudwatch_log_group": (
        "the log groups here are SageMaker's (log_groups of shared-infra/s3); nothing uses this one"
    ),
    "aws_iam_policy": "nothing that is imported uses it: shared-infra/iam brings its own policies",
    "aws_iam_instance_profile": "notebooks have a role and no instance profile",
    "aws_sagemaker_domain": "Studio is not managed here",
    "aws_sagemaker_user_profile": "Studio is not managed here",
    "aws_sagemaker_notebook_instance_lifecycle_configuration": "no notebook uses it",
    "aws_sagemaker_code_repository": "no notebook that is imported uses it",
}
