"""The project's settings: what `tools init` asks for and writes to the .tfvars of the stacks."""

import ipaddress
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.aws.model import check_bucket, check_bucket_suffix, check_region
from tools.aws.network import DEFAULT_VPC
from tools.errors import UserError
from tools.hcl import reading, writing
from tools.hcl.reading import Value
from tools.layout.repository import COMMON, Repository
from tools.system import files as system_files

# The rule of variable "project" in the shared stacks, which say why.
_PROJECT = re.compile(r"(?!(sg|sthree|amzn-s3-demo)(-|$))[a-z](-?[a-z0-9])+")
_SUFFIX = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

Check = Callable[[str], None]

_HEADER = "# Made by `tools init`; yours to edit.\n\n"
_FILES = _BUCKETS, _GROUPS, _ENDPOINTS = (
    "shared-infra/s3/terraform.tfvars",
    "shared-infra/security-groups/terraform.tfvars",
    "shared-infra/vpc-endpoints/terraform.tfvars",
)
# The sets of docs/endpoints.md; "default" is the default of the stack's interface_services.
ENDPOINT_SETS = {
    "default": ("sagemaker.api", "sagemaker.runtime", "ec2"),
    "sdk": ("sagemaker.api", "sagemaker.runtime", "ec2", "sts", "logs"),
}


@dataclass(frozen=True)
class Settings:
    """The answers, validated. Raises UserError, which names the wrong value and its rule."""

    project: str
    region: str
    vpc_id: str | None = None
    subnet_ids: Sequence[str] = ()
    route_table_ids: Sequence[str] = ()
    state_bucket: str | None = None
    bucket_suffix: str | None = None
    endpoints: str = "default"
    nat_subnet: str | None = None

    def __post_init__(self) -> None:
        check_project(self.project)
        check_region(self.region)
        if not self.vpc_id:
            raise UserError(
                "the notebooks need a VPC: pass --vpc-id and --subnet-id, or --default-vpc for the "
                "region's default VPC, which other workloads may share"
            )
        check_vpc(self.vpc_id)
        check_subnets(" ".join(self.subnet_ids))
        _check_prefix("route-table-id", "rtb-", self.route_table_ids)
        if self.state_bucket:
            check_bucket("--state-bucket", self.state_bucket)
        if self.bucket_suffix:
            if len(self.bucket_suffix) > 21 or not _SUFFIX.fullmatch(self.bucket_suffix):
                raise UserError(
                    f"--bucket-suffix {self.bucket_suffix!r}: at most 21 lower-case letters, "
                    "digits and single hyphens between them"
                )
            check_bucket_suffix("--bucket-suffix", self.bucket_suffix)
        check_nat_subnet(self.nat_subnet or "")
        if self.vpc_id != DEFAULT_VPC and not self.subnet_ids:
            raise UserError(
                f"{self.vpc_id}: name at least one of its private subnets with --subnet-id"
            )

    @property
    def common(self) -> dict[str, Value]:
        """The values of common.auto.tfvars."""
        values: dict[str, Value] = {"project": self.project, "region": self.region}
        return {**values, **_set(state_bucket=self.state_bucket)}

    def files(self) -> dict[str, str]:
        """The .tfvars files that are new: path in the repository to text."""
        services = [] if self.endpoints == "default" else list(ENDPOINT_SETS[self.endpoints])
        network = _set(
            subnet_ids=list(self.subnet_ids),
            route_table_ids=list(self.route_table_ids),
            interface_services=services,
            nat_subnet=self.nat_subnet,
        )
        # Without it nothing could use the NAT gateway.
        groups = _set(vpc_id=self.vpc_id, allow_internet_egress=self.nat_subnet is not None)
        stacks = {
            _BUCKETS: _set(bucket_suffix=self.bucket_suffix),
            _GROUPS: groups,
            _ENDPOINTS: network,
        }
        return {
            path: f"{_HEADER}{writing.format_assignments(values)}\n"
            for path, values in stacks.items()
            if values
        }


def check_project(project: str) -> None:
    """Raises UserError if the names of buckets and roles cannot begin with `project`."""
    if len(project) > 32 or not _PROJECT.fullmatch(project):
        raise UserError(
            f"{project[:80]!r} is not a project name: it begins the buckets' names, so it takes 2 "
            "to 32 lower-case letters, digits and single hyphens, a letter first, and not sg-, "
            "sthree- or amzn-s3-demo- at its start"
        )


def check_vpc(vpc_id: str) -> None:
    """Raises UserError if `vpc_id` is neither a VPC's id nor "default"."""
    _check_prefix("vpc-id", "vpc-", [] if vpc_id == DEFAULT_VPC else [vpc_id])


def check_nat_subnet(nat_subnet: str) -> None:
    """Raises UserError if `nat_subnet` is neither empty, a subnet's id nor an address range."""
    if "/" not in nat_subnet:
        _check_prefix("nat-subnet", "subnet-", [nat_subnet] if nat_subnet else [])
        return
    try:
        ipaddress.IPv4Network(nat_subnet)
    except ValueError as error:
        raise UserError(f"--nat-subnet {nat_subnet!r}: {error}") from None


def check_subnets(words: str) -> None:
    """Raises UserError if one of the `words` is no subnet's id."""
    _check_prefix("subnet-id", "subnet-", words.split())


def write(settings: Settings, repository: Repository) -> list[Path]:
    """Writes the files of `settings`, all or none, and returns them.

    Raises UserError if one exists already, or if common.auto.tfvars has values.
    """
    files = {repository.root / name: text for name, text in settings.files().items()}
    refuse_set_up(repository, list(settings.files()))
    common = repository.root / COMMON
    before = common.read_text() if common.is_file() else None
    written: list[Path] = []
    try:
        for path, text in files.items():
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "w") as file:
                written.append(path)
                file.write(text)
        # Last: it is replaced at once.
        system_files.write(common, writing.fill_in(before or "", settings.common))
    except BaseException as error:
        for path in written:
            path.unlink()
        if isinstance(error, OSError):
            raise UserError(
                f"cannot write {error.filename}: {system_files.explain(error)}"
            ) from None
        raise
    return [common, *written]


def refuse_set_up(repository: Repository, names: Sequence[str] = (_GROUPS,)) -> None:
    """Raises UserError if `tools init` ran here, or if one of the files `names` exists.

    An answer that was given earlier is never lost. Names everything that is set, at once.
    """
    path = repository.root / COMMON
    values = reading.read_tfvars(path) if path.is_file() else {}
    typed = [name for name in ("project", "region") if name in values]
    existing = [name for name in names if (repository.root / name).exists()]
    if not typed and not existing:
        return
    existing += [
        name for name in _FILES if name not in existing and _is_ours(repository.root / name)
    ]
    what = ([f"{COMMON} ({', '.join(typed)})"] if typed else []) + existing
    them = "them" if len(existing) > 1 else "it"
    others = f"{COMMON}, and move {', '.join(existing)} away" if existing else COMMON
    mend = f"put the # back in {others}" if typed else f"move {them} away"
    raise UserError(
        f"set already, and left as it is: {', '.join(what)}; edit the values there or, to be asked "
        f"again, {mend}"
    )


def _is_ours(path: Path) -> bool:
    return path.is_file() and path.read_text(errors="replace").startswith(_HEADER)


def _set(**values: Value) -> Mapping[str, Value]:
    return {name: value for name, value in values.items() if value}


def _check_prefix(option: str, prefix: str, ids: Sequence[str]) -> None:
    for id_ in ids:
        if not re.fullmatch(rf"{prefix}[0-9a-f]{{8,17}}", id_):
            raise UserError(
                f"--{option} {id_!r}: an id of this kind is {prefix} and 8 to 17 of 0-9 a-f"
            )
