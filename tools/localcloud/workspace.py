"""The local cloud's working copy of the repository.

Its files are the repository's, byte for byte. States, lock files and values of the local cloud stay
in the copy, so that a deployment to AWS after a demo starts from nothing.
"""

import os
import shutil
from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

from tools.aws.network import DEFAULT_VPC
from tools.errors import UserError
from tools.hcl import reading
from tools.hcl.reading import VALUES
from tools.hcl.writing import format_assignments
from tools.layout import contents
from tools.layout.repository import COMMON, Repository
from tools.layout.stack import FOLDERS, GROUPS
from tools.localcloud import mirror
from tools.localcloud.sources import Sources
from tools.state import backend
from tools.state.file import State
from tools.state.place import ERRORED, STATE, LocalPlace
from tools.system import files

# Values that name something in an AWS account, and what the local cloud has instead.
_STAND_INS: dict[str, reading.Value] = {
    "access_log_bucket": None,
    "additional_code_repositories": [],
    "cost_allocation_tags": [],  # the emulator knows no Cost Explorer
    "default_code_repository": None,
    "egress_cidrs": [],
    "egress_security_group_ids": [],
    "guardrail_except_principal_arns": [],
    "kms_key_arn": None,
    "kms_key_arns": [],
    "kms_key_id": None,
    "monthly_budget_usd": None,  # the emulator knows no budgets
    "only_through_vpc_endpoints": None,
    "permissions_boundary_arn": None,
    "role_arn": None,
    "route_table_ids": [],
    "security_group_ids": [],
    "subnet_id": None,
    "subnet_ids": [],
    "use_shared_kms_key": False,  # the key may be one of theirs
    "vpc_id": None,
}
# What security groups have to be told: the local cloud has a default VPC, and nobody else in it.
_VPC = {"vpc_id": DEFAULT_VPC}
# Terraform reads these files in the order of their names, and takes the last value:
# https://developer.hashicorp.com/terraform/language/values/variables#variable-definition-precedence
OVERRIDES = "zz-local.auto.tfvars"
_FROM_REPOSITORY = ".from-repository"
_OWN_VALUES = ".own-values"
# What Terraform, or OpenTofu, reads in a directory by itself.
_TERRAFORM_FILES = (".tf", ".tf.json", ".tofu", ".tofu.json", ".tfvars", ".tfvars.json")
_FOLDERS = (*FOLDERS, "modules", backend.ROOT)  # in which Terraform works
_DEFAULTS: dict[str, reading.Value] = {"project": "demo", "region": "us-east-1"}


@contents.expect_changes()
def refresh(repository: Repository, copy: Path) -> Repository:
    """Brings `copy` up to date with `repository`, and returns it as a repository of its own.

    Notebooks that were made in the copy stay. Of a directory that has gone from the repository
    the state stays, if the local cloud holds something of it: it is an orphan there. Raises
    UserError, before anything is changed, if the copy was deployed for another project or region.
    """
    _refuse_other_project(repository, copy)
    files.write_if_new(copy / COMMON, _common(repository, copy / COMMON))
    bucket = backend.configured_backend(Repository(copy))
    roots = [stack.name for stack in repository.stacks()]
    before = mirror.Note.read(copy)
    unfinished, orphaned = _let_go(copy, [name for name in before.roots if name not in roots])
    is_own = partial(_is_own, copy)
    paths = Sources(repository.root, _FOLDERS, is_own).paths()
    new = [name for name in roots if not is_from_repository(copy / name)]
    noted = mirror.update(copy, paths, before.files, is_own, unfinished)
    for name in roots:
        _remove_foreign(copy, name, paths)
        if name in new and bucket:
            files.write_if_new(copy / name / backend.FILE, bucket.text(name))
        files.write_if_new(copy / name / _FROM_REPOSITORY, "")
        files.write_if_new(copy / name / OVERRIDES, _overrides(copy / name, name == GROUPS))
    mirror.Note(noted, roots + unfinished + orphaned).write(copy)
    for folder in (*FOLDERS, "modules"):  # git keeps no empty ones, and a repository has all three
        (copy / folder).mkdir(parents=True, exist_ok=True)
    return replace(repository, root=copy, option=" --local")


def is_from_repository(stack: Path) -> bool:
    """Whether a directory of the copy comes from the repository, and so is written again."""
    return (stack / _FROM_REPOSITORY).exists()


def keep_values(stack: Path) -> None:
    """Keeps the terraform.tfvars that the directory `stack` has in the copy from now on.

    It names what is in the local cloud, so that nothing stands in for its values either.
    """
    (stack / _OWN_VALUES).touch()
    files.write_if_new(stack / OVERRIDES, "\n")


def stand_ins(stack: Path) -> dict[str, reading.Value]:
    """The values that stand in for those of the directory `stack`; none if it keeps its own."""
    overrides = stack / OVERRIDES
    return reading.read_tfvars(overrides) if overrides.is_file() else {}


def region(repository: Repository) -> str:
    """The region that the local cloud stands for."""
    return str(_common_values(repository)["region"])


def _is_own(copy: Path, name: str) -> bool:
    """Whether a file is the copy's own, which the repository's must not replace."""
    folder, _, last = name.rpartition("/")
    if last in (OVERRIDES, _FROM_REPOSITORY, _OWN_VALUES, mirror.NOTE) or name == COMMON:
        return True
    if last == backend.FILE:
        return name.split("/")[0] in _FOLDERS or (copy / folder / _FROM_REPOSITORY).exists()
    return last == VALUES and (copy / folder / _OWN_VALUES).exists()


def _refuse_other_project(repository: Repository, copy: Path) -> None:
    if not (copy / COMMON).is_file():
        return
    was, now = reading.read_tfvars(copy / COMMON), _common_values(repository)
    if any(was.get(name) != now[name] for name in _DEFAULTS) and any(
        _holds_any(copy / top) for top in (*FOLDERS, backend.ROOT)
    ):
        raise UserError(
            f"the local cloud was deployed for project {was.get('project')} in "
            f"{was.get('region')}, and this repository is now {now['project']} in "
            f"{now['region']}; start the local cloud empty: tools local reset"
        )


def _let_go(copy: Path, gone: Iterable[str]) -> tuple[list[str], list[str]]:
    """Lets directories go that have gone from the repository; returns the names of those left.

    First those whose last run did not end as it should, which keep all files, so that it can be
    repaired; then those that keep a state alone.
    """
    unfinished, orphaned = [], []
    for name in gone:
        directory = copy / name
        if _is_unfinished(directory):
            unfinished.append(name)
        elif _holds_resources(directory):
            orphaned.append(name)
            for file in (OVERRIDES, backend.FILE):
                (directory / file).unlink(missing_ok=True)
        elif directory.is_dir() and not any(map(_holds_any, _inner(directory))):
            shutil.rmtree(directory)
    return unfinished, orphaned


def _remove_foreign(copy: Path, name: str, paths: Collection[str]) -> None:
    """Removes what Terraform would read in a root and the repository does not have."""
    directory = (copy / name).resolve()  # it may be behind a link
    real_name = directory.relative_to(copy.resolve()).as_posix()
    with os.scandir(directory) as entries:
        last_names = [entry.name for entry in entries if entry.name.endswith(_TERRAFORM_FILES)]
    for last in last_names:
        path = f"{real_name}/{last}"
        if path not in paths and not _is_own(copy, path):
            (directory / last).unlink()


def _common(repository: Repository, copied: Path) -> str:
    """The repository's values, and the bucket of states that the copy has, if any."""
    before = reading.read_tfvars(copied) if copied.is_file() else {}
    values = _common_values(repository)
    for name in ("state_bucket", "state_prefix"):
        if name in before:
            values[name] = before[name]
    return format_assignments(values) + "\n"


def _common_values(repository: Repository) -> dict[str, reading.Value]:
    values = repository.shared_values()
    return {name: values.get(name) or default for name, default in _DEFAULTS.items()}


def _overrides(stack: Path, needs_vpc: bool) -> str:
    """Stand-ins for the values in the stack's .tfvars that name something of an AWS account."""
    names = {
        name
        for pattern in (VALUES, "*.auto.tfvars")
        for path in stack.glob(pattern)
        if path.name not in (OVERRIDES, COMMON)
        for name in _names(path)
    }
    if (stack / _OWN_VALUES).exists():
        return format_assignments(_VPC if needs_vpc and "vpc_id" not in names else {}) + "\n"
    values = {name: _STAND_INS[name] for name in names if name in _STAND_INS}
    return format_assignments(values | (_VPC if needs_vpc else {})) + "\n"


def _names(tfvars: Path) -> list[str]:
    """The names that a file sets; none if it does not parse, which Terraform reports by itself."""
    try:
        return reading.tfvars_names(tfvars)
    except UserError:
        return []


def _holds_any(top: Path) -> bool:
    """Whether something in the local cloud may be known by the files in and below `top` alone."""
    for folder, folders, _ in os.walk(top):
        # Terraform notes there that it keeps the state elsewhere.
        is_elsewhere = ".terraform" in folders and Path(folder, ".terraform", STATE).exists()
        folders[:] = [name for name in folders if name != ".terraform"]
        directory = Path(folder)
        if is_elsewhere or _is_unfinished(directory) or _holds_resources(directory):
            return True
    return False


def _inner(directory: Path) -> list[Path]:
    return [path for path in directory.iterdir() if path.is_dir() and path.name != ".terraform"]


def _is_unfinished(directory: Path) -> bool:
    """Whether the last run in `directory` was killed, could not write its state, or goes on."""
    place = LocalPlace(directory / STATE)
    if (directory / ERRORED).exists() or place.lock():
        return True
    try:
        _holds_resources(directory)
    except UserError:
        return True
    return False


def _holds_resources(directory: Path) -> bool:
    """Whether its state has resources: a destroyed stack leaves one without.

    Raises UserError if it cannot be read.
    """
    place = LocalPlace(directory / STATE)
    text = place.read()  # an empty one may have been cut short
    return text is not None and bool(State.parse(text, str(place)).resources)
