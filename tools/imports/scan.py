"""What the stacks could import of an account and region, and do not hold yet."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from tools.aws import sagemaker
from tools.aws.sagemaker import NOTEBOOK_TYPE
from tools.console import table
from tools.console.messages import say
from tools.console.table import Column
from tools.errors import UserError
from tools.imports import (
    buckets,
    endpoints,
    inventory,
    notebooks,
    pending_import,
    roles,
    security_groups,
)
from tools.imports.destination import Destination
from tools.imports.inventory import Inventory
from tools.imports.request import ImportRequest, ResourceImport, combine
from tools.layout.stack import ENDPOINTS, GROUPS, IAM, S3
from tools.scaffold.notebook import Notebook
from tools.state.addresses import bucket_address

_REQUESTS = 8  # at once
# Notebooks, each of which takes a call: SageMaker's listing says neither role nor groups.
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_NotebookInstanceSummary.html
_MOST_DESCRIBED = 200
_UNTRIED = f"not tried, after {_MOST_DESCRIBED} others"
_PLACEHOLDER = "PURPOSE"
# Bytes of a script which fit into AWS's limit with the module's own part around them; of a longer
# one Terraform has to say it.
_SURELY_FITS = 8000

Trial = Callable[[Sequence[Notebook]], Mapping[str, str]]


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


def find_candidates(destination: Destination, try_out: Trial | None = None) -> list[Candidate]:
    """Returns candidates in the order to import them: what others need comes first.

    What has a command is importable, after those before it: each import was tried up to its
    question. `try_out` has Terraform try notebooks of which only that can tell, and returns why it
    refuses some, by stack. Raises UserError if AWS cannot be asked, or a state cannot be read.
    """
    managed = inventory.read(destination.records, destination.records.stacks)
    return _Scan(destination, managed, try_out).run()


def unread_stacks(destination: Destination) -> list[str]:
    """Returns the stacks that were left out, since their files do not say where their state is."""
    records = destination.records
    return [stack.name for stack in records.stacks if records.place(stack) is None]


class _Scan:
    """A scan at work: what it has offered so far takes its place from what comes later."""

    def __init__(
        self, destination: Destination, managed: Inventory, try_out: Trial | None = None
    ) -> None:
        self._destination = destination
        self._managed = managed
        self._try_out = try_out
        self._offered = ImportRequest(())

    def run(self) -> list[Candidate]:
        destination = self._destination
        names = sorted(sagemaker.list_instances(destination.cloud))
        free = [n for n in names if not self._managed.find(NOTEBOOK_TYPE, n)]
        with ThreadPoolExecutor(_REQUESTS) as pool:
            described = list(
                pool.map(lambda name: notebooks.fetch(destination, name), free[:_MOST_DESCRIBED])
            )
        instances = [instance for instance in described if instance]
        vpcs = security_groups.vpcs_by_group(destination)
        chosen_vpc = destination.vpc or _vpc_of(instances, vpcs) or destination.default_vpc()
        vpc = chosen_vpc or ""
        working = endpoints.list_working(destination, vpc) if vpc else []
        return [
            *self.buckets(),
            *self.roles(instances),
            *self.groups(vpcs, vpc, "notebooks", _groups_of_notebooks(instances)),
            *self.groups(vpcs, vpc, "endpoints", _groups_of_endpoints(working)),
            *self.endpoints(working),
            *self.notebooks(instances),
            *(
                self._offer("notebook", name, _UNTRIED, "", ImportRequest(()))
                for name in free[len(described) :]
            ),
        ]

    def _try(
        self, kind: str, name: str, detail: str, arguments: str, build: Callable[[], ImportRequest]
    ) -> Candidate:
        """Does what the command would, up to its question."""
        try:
            return self._offer(kind, name, detail, arguments, build())
        except UserError as error:
            return Candidate(kind, name, detail, why=str(error))

    def _offer(
        self, kind: str, name: str, detail: str, arguments: str, request: ImportRequest
    ) -> Candidate:
        destination = self._destination
        command = f"tools import {kind} {name}{arguments}{destination.option}"
        is_local = bool(destination.cloud.endpoint)
        pending_import.find_left(destination.records, self._managed, request, is_local=is_local)
        try:
            self._offered = combine([self._offered, request])
        except UserError as error:
            raise UserError(f"{error}; instead of that: {command}") from None
        stack = request.imports[0].stack if request.imports else f"notebooks/{name}"
        return Candidate(kind, name, detail, stack, command)

    def buckets(self) -> Iterator[Candidate]:
        destination = self._destination
        common = destination.records.repository.common()
        reserved = {common.get("state_bucket"), destination.declared(S3).get("access_log_bucket")}
        all_buckets = buckets.list_buckets(destination)
        logs = buckets.log_buckets(destination, [bucket["Name"] for bucket in all_buckets])
        for bucket in all_buckets:
            name = bucket["Name"]
            is_elsewhere = bucket["BucketRegion"] != destination.cloud.region
            if is_elsewhere or name in reserved or self._managed.find("aws_s3_bucket", name):
                continue
            yield self._bucket(name, logs)

    def _bucket(self, name: str, logs: Collection[str]) -> Candidate:
        """A bucket, without its settings: to read each of every bucket would take minutes."""
        destination = self._destination
        try:
            why = buckets.refusal(destination, name, logs)
        except UserError as error:  # such as objects that these credentials cannot list
            why = str(error)
        if why:
            return Candidate("bucket", name, "", why=why)
        offered_names = self._offered.values.get(S3, {}).get("bucket_names")
        taken = set(offered_names) if isinstance(offered_names, dict) else set()
        try:
            purpose = buckets.guess_purpose(destination, name)
        except UserError:
            purpose = _PLACEHOLDER
        if purpose in taken or any(self._managed.at(S3, bucket_address(purpose))):
            purpose = _PLACEHOLDER
        # A placeholder stands for a purpose of the bucket's own.
        key = name if purpose == _PLACEHOLDER else purpose
        request = ImportRequest(
            (ResourceImport.at(S3, bucket_address(key), name),),
            {S3: {"bucket_names": {key: name}}},
        )
        return self._try("bucket", name, "", f" --as {purpose}", lambda: request)

    def roles(self, instances: Sequence[Any]) -> Iterator[Candidate]:
        destination = self._destination
        roles_used = Counter(instance["RoleArn"].rpartition("/")[2] for instance in instances)
        _, shared = self._managed.at(IAM, "aws_iam_role.notebook")
        for name, count in roles_used.most_common():
            if self._managed.find("aws_iam_role", name):
                continue
            detail = f"of {count} of these notebooks"
            if shared:
                why = f"{IAM} already has {shared}; notebooks with this role keep it"
                yield Candidate("role", name, detail, why=why)
            else:
                build = partial(roles.request_role, destination, name)
                yield self._try("role", name, detail, "", build)

    def groups(
        self, vpcs: Mapping[str, str], vpc: str, purpose: str, used: Counter[str]
    ) -> Iterator[Candidate]:
        """The security groups of notebooks or endpoints; `used` counts how many have each."""
        destination = self._destination
        _, shared = self._managed.at(GROUPS, f"aws_security_group.{purpose}")
        offered_ids = {resource.identifier for resource in self._offered.imports}
        for group_id, count in used.most_common():
            is_managed = self._managed.find("aws_security_group", group_id)
            if group_id not in vpcs or group_id in offered_ids or is_managed:
                continue
            detail = f"of {count} of these {purpose}"
            if shared:
                why = f"{GROUPS} already has {shared} for its {purpose}"
                yield Candidate("security-group", group_id, detail, why=why)
            elif vpc and vpcs[group_id] != vpc:
                whose = "the stacks" if destination.vpc else "most of these notebooks"
                why = f"it is in {vpcs[group_id]}, but {whose} are in {vpc}"
                yield Candidate("security-group", group_id, detail, why=why)
            else:
                build = partial(security_groups.request_group, destination, group_id, purpose)
                arguments = f" --as {purpose}"
                yield self._try("security-group", group_id, detail, arguments, build)

    def endpoints(self, described: Sequence[Any]) -> Iterator[Candidate]:
        destination = self._destination
        # The gateway last: it takes the others' subnets if the VPC has no default ones.
        for endpoint in sorted(
            described, key=lambda e: (endpoints.endpoint_type(e) == "Gateway", e["VpcEndpointId"])
        ):
            endpoint_id, service = endpoint["VpcEndpointId"], endpoint["ServiceName"]
            if self._managed.find("aws_vpc_endpoint", endpoint_id):
                continue
            try:
                short = endpoints.short_name(destination, endpoint)
            except UserError as error:
                yield Candidate("endpoint", endpoint_id, service, why=str(error))
                continue
            _, other = self._managed.at(ENDPOINTS, endpoints.address(short))
            if other:
                why = f"{ENDPOINTS} already has {other} for {short}"
                yield Candidate("endpoint", endpoint_id, service, why=why)
                continue
            build = partial(
                endpoints.request_endpoint,
                destination,
                endpoint_id,
                subnets=self._offered.value_list(ENDPOINTS, "subnet_ids"),
            )
            yield self._try("endpoint", endpoint_id, service, "", build)

    def notebooks(self, instances: Sequence[Any]) -> Iterator[Candidate]:
        destination = self._destination
        shared_stacks = notebooks.Shared.so_far(destination)
        directories = destination.records.repository.instance_names()

        def request(name: str) -> ImportRequest:
            return notebooks.request_notebook(
                destination, name, shared_stacks, self._directory(name)
            )

        with ThreadPoolExecutor(_REQUESTS) as pool:
            names = [instance["NotebookInstanceName"] for instance in instances]
            futures = [pool.submit(request, name) for name in names]
        refused = self._refused_by_terraform(futures)
        for name, instance, future in zip(names, instances, futures, strict=True):
            directory = self._directory(name)
            is_free = directory == name or directory in directories
            directory_shown = directory if is_free else "DIRECTORY"
            arguments = "" if directory_shown == name else f" --directory {directory_shown}"
            detail = f"{instance['InstanceType']}, {instance['NotebookInstanceStatus']}"
            if why := refused.get(f"notebooks/{directory}"):
                yield Candidate("notebook", name, detail, why=why)
                continue
            candidate = self._try("notebook", name, detail, arguments, future.result)
            if candidate.command:
                candidate = replace(candidate, stack=f"notebooks/{directory_shown}")
            yield candidate

    def _refused_by_terraform(
        self, futures: Iterable["Future[ImportRequest]"]
    ) -> Mapping[str, str]:
        """Why Terraform refuses notebooks whose scripts may be too long, by stack."""
        doubtful = [
            notebook
            for future in futures
            if future.exception() is None
            for notebook in future.result().notebooks
            if any(len(script) > _SURELY_FITS for script in notebook.scripts.values())
        ]
        return self._try_out(doubtful) if doubtful and self._try_out else {}

    def _directory(self, name: str) -> str:
        """The instance's directory, of another name if that is another instance's."""
        directories = self._destination.records.repository.instance_names()
        directory = notebooks.directory_of(self._destination, name) or name
        if directories.get(directory, name) == name:
            return directory
        return f"{_PLACEHOLDER}-{name}"[:63].rstrip("-")


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


def show(candidates: Sequence[Candidate]) -> None:
    """Prints a line for each candidate on stdout, and their number on stderr."""
    table.show(
        (
            (c.kind, c.name, c.detail, c.stack if c.command else "", c.command or c.why)
            for c in candidates
        ),
        (
            "Kind",
            "Name",
            Column("Details", rank=1),
            Column("Stack", rank=2),
            Column("Command, or why not", note=True),
        ),
    )
    importable = sum(bool(candidate.command) for candidate in candidates)
    say(
        f"{importable} can be imported, of {len(candidates)} that no state here holds"
        if candidates
        else "every resource that the stacks could import is in their states"
    )
