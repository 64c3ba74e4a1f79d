"""Maps an old deployment onto the stacks, from its state alone."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from tools.errors import UserError
from tools.migration import dependencies, relations
from tools.migration.import_selection import select_imports
from tools.migration.legacy import Resource
from tools.migration.mapping import (
    Choices,
    Disposition,
    LegacyMapping,
    MappedResource,
    MappingScope,
)
from tools.migration.resource_types import BUCKET, GROUP, IMPORTABLE, ROLE, STACKS

_KMS = "aws_kms_"
_KEY = (
    "it stays in AWS, outside of Terraform: data may be encrypted with it, which no state says, "
    "and could not be read without it"
)
_UNKNOWN = (
    "whether something uses it is unknown, since a part of this deployment, or another one, was "
    "migrated before; add --leave if nothing does"
)
_LEFT = "left, as --leave says"
_FORGOTTEN = "a destroy only forgets it, and AWS keeps it"

# What other deployments may use.
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
_STAYS = {
    "aws_cloudwatch_log_group": (
        "the log groups here are SageMaker's (log_groups of shared-infra/s3); nothing uses this one"
    ),
    "aws_iam_policy": "nothing that is imported uses it: shared-infra/iam has its own policies",
    "aws_iam_instance_profile": "notebooks have a role and no instance profile",
    "aws_sagemaker_domain": "Studio is not managed here",
    "aws_sagemaker_user_profile": "Studio is not managed here",
    "aws_sagemaker_notebook_instance_lifecycle_configuration": "no notebook uses it",
    "aws_sagemaker_code_repository": "no notebook that is imported uses it",
}


def map_resources(resources: Iterable[Resource], scope: MappingScope) -> LegacyMapping:
    """Returns the mapping of an old deployment's resources onto the stacks here.

    Raises UserError if all of them are in another account or region, if a choice names nothing, or
    if a resource to import is tainted or half replaced.
    """
    ordered = sorted(resources, key=lambda resource: resource.address)
    _check_choices(ordered, scope.choices)
    _check_location(ordered, scope)
    mapping = LegacyMapping(_Mapper(ordered, scope).map())
    for row in mapping.imported():
        if row.resource.trouble:
            raise UserError(
                f"{row.address}: {row.resource.trouble}; finish that first, with plan and apply "
                "(or untaint) in the old deployment, or leave it: --leave ADDRESS"
            )
    return mapping


def _check_choices(resources: Sequence[Resource], choices: Choices) -> None:
    buckets = {resource.text("bucket") for resource in resources if resource.type == BUCKET}
    for name in choices.purposes:
        if name not in buckets:
            names = ", ".join(sorted(buckets)) or "none"
            raise UserError(f"--bucket {name}: the old state has no such bucket; it has {names}")
    for pattern in choices.leave:
        if not any(_matches(resource.address, pattern) for resource in resources):
            raise UserError(f"--leave {pattern}: the old state has no such address")


def _matches(address: str, pattern: str) -> bool:
    # An address may hold brackets, which mean a set of characters in a glob.
    return address == pattern or fnmatchcase(address, pattern.replace("[", "[[]"))


def _check_location(resources: Iterable[Resource], scope: MappingScope) -> None:
    importable = [resource for resource in resources if resource.type in IMPORTABLE]
    accounts = {resource.account for resource in importable} - {""}
    if accounts and scope.account not in accounts:
        raise UserError(
            f"the old deployment is in account {', '.join(sorted(accounts))}, but these "
            f"credentials are for {scope.account}; use that account's. Nothing was asked or written"
        )
    regions = {resource.region for resource in importable} - {""}
    if regions and scope.region not in regions:
        raise UserError(
            f"the old deployment is in region {', '.join(sorted(regions))}, but "
            f"common.auto.tfvars says {scope.region}; migrate it to a repository for its region"
        )


class _Mapper:
    """One mapping at work: selects what is imported, then finds what that uses."""

    def __init__(self, resources: Sequence[Resource], scope: MappingScope) -> None:
        self._resources = resources
        self._scope = scope
        self._rows: dict[str, MappedResource] = {}

    def map(self) -> list[MappedResource]:
        """Returns what becomes of each resource, in their order."""
        self._add(filter(None, map(self._exclude, self._resources)))
        elsewhere = [row.resource for row in self._with("used")]
        senders = {
            bucket: resource
            for resource in self._resources
            for bucket in relations.log_targets(resource)
        }
        self._add(select_imports(self._without_row(), self._scope, senders))
        seeds: list[tuple[Resource, Disposition]] = [
            *((row.resource, "inside") for row in self._with("imported")),
            *((resource, "inside") for resource in self._scope.earlier.managed_here),
            *((row.resource, "network") for row in self._with("network")),
            *((resource, "used") for resource in elsewhere),
        ]
        self._add_dependencies(seeds)
        self._release_what_may_be_used()
        self._add(
            MappedResource(resource, "stays", reason=_reason_to_stay(resource.type))
            for resource in self._without_row()
        )
        return [_complete(self._rows[resource.address]) for resource in self._resources]

    def _add(self, rows: Iterable[MappedResource]) -> None:
        self._rows |= {row.address: row for row in rows}

    def _with(self, disposition: Disposition) -> list[MappedResource]:
        return [row for row in self._rows.values() if row.disposition == disposition]

    def _without_row(self) -> list[Resource]:
        return [resource for resource in self._resources if resource.address not in self._rows]

    def _exclude(self, resource: Resource) -> MappedResource | None:
        """The row of a resource that is not for the stacks here, whatever it is."""
        scope = self._scope
        if any(_matches(resource.address, pattern) for pattern in scope.choices.leave):
            return MappedResource(resource, "stays", reason=_LEFT, is_left=True)
        if where := self._elsewhere(resource):
            # Whoever follows these steps to their end destroys what is left there.
            return MappedResource(resource, "used", where, reason=f"it is in {where}")
        if self._was_not_imported(resource):
            reason = f"not imported: {scope.earlier.script} lists it so"
            return MappedResource(resource, "stays", reason=reason)
        return None

    def _elsewhere(self, resource: Resource) -> str:
        """The account or region of what the stacks here cannot hold, empty if they can."""
        if resource.account not in ("", self._scope.account):
            return f"account {resource.account}"
        is_importable = resource.type in IMPORTABLE
        if is_importable and resource.region not in ("", self._scope.region):
            return f"region {resource.region}"
        return ""

    def _was_not_imported(self, resource: Resource) -> bool:
        """Whether it was not to be shared, for a reason that the state may not show any more."""
        disposition = self._scope.earlier.dispositions.get(resource.address, "imported")
        is_chosen = (
            resource.type == BUCKET and resource.text("bucket") in self._scope.choices.purposes
        )
        return resource.type in STACKS and disposition != "imported" and not is_chosen

    def _add_dependencies(self, seeds: Sequence[tuple[Resource, Disposition]]) -> None:
        staying = [row.resource for row in self._with("stays")]
        for dependency in dependencies.find(seeds, [*self._without_row(), *staying]):
            row = self._rows.get(dependency.address)
            if row is None:
                self._add([dependency])
            elif (
                dependency.disposition != "inside"
            ):  # a part that the user leaves stays with the old
                reason = _join(dependency.reason, row.reason)
                self._add([replace(dependency, reason=reason, is_left=row.is_left)])

    def _release_what_may_be_used(self) -> None:
        """Lets go of what may be in use, as no state may say, and of what that needs."""
        seeds = []
        for resource in self._resources:
            row = self._rows.get(resource.address) or MappedResource(resource, "stays")
            disposition, reason = self._presume(row)
            if disposition != row.disposition:
                reason = _join(reason, row.reason)
                self._add([replace(row, disposition=disposition, reason=reason)])
                seeds.append((resource, disposition))
        self._add_dependencies(seeds)

    def _presume(self, row: MappedResource) -> tuple[Disposition, str]:
        """What becomes of a resource that may be in use, and why it does if that is news."""
        type, earlier = row.resource.type, self._scope.earlier
        before = earlier.dispositions.get(row.address)
        if before in ("imported", "inside", "used") and row.disposition in ("stays", "network"):
            return "used", f"an earlier script lets it go ({earlier.script})"
        if row.disposition != "stays":
            return row.disposition, ""
        if before == "network":
            return "network", dependencies.NETWORK_REASON
        if row.is_left:
            return "stays", ""
        if type.startswith(_KMS):
            return "used", _KEY
        if earlier.exists and before is None:
            if relations.is_network(type):
                return "network", f"{dependencies.NETWORK_REASON}; {_UNKNOWN}"
            if type in _SHAREABLE:
                return "used", _UNKNOWN
        return "stays", ""


def _join(*reasons: str) -> str:
    return "; ".join(filter(None, reasons))


def _complete(row: MappedResource) -> MappedResource:
    """The row with what its resource itself says."""
    if row.disposition == "imported":
        return row
    forgotten = _FORGOTTEN if relations.is_only_forgotten(row.resource) else ""
    return replace(row, reason=_join(row.reason, forgotten, row.resource.trouble))


def _reason_to_stay(type: str) -> str:
    return _STAYS.get(type, f"no stack here has {type}, and nothing that is imported uses this one")
