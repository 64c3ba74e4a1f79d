"""The local cloud's working copy of the repository.

Its .tf files are the repository's, byte for byte. States, lock files and values of the local cloud
stay in the copy, so that a deployment to AWS after a demo starts from nothing.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

from tools.errors import UserError
from tools.hcl import reading
from tools.hcl.reading import VALUES
from tools.hcl.writing import format_assignments
from tools.layout.repository import COMMON, Repository
from tools.state import backend
from tools.state.file import State
from tools.state.place import ERRORED, STATE, LocalPlace
from tools.system import files

# Values that name something in an AWS account, and what the local cloud has instead.
_STAND_INS: dict[str, reading.Value] = {
    "access_log_bucket": None,
    "additional_code_repositories": [],
    "default_code_repository": None,
    "endpoint_client_security_group_ids": [],
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
# Terraform reads these files in the order of their names, and takes the last value:
# https://developer.hashicorp.com/terraform/language/values/variables#variable-definition-precedence
OVERRIDES = "zz-local.auto.tfvars"
_FROM_REPOSITORY = ".from-repository"
_OWN_VALUES = ".own-values"
_DEFAULTS: dict[str, reading.Value] = {"project": "demo", "region": "us-east-1"}


def refresh(repository: Repository, copy: Path) -> Repository:
    """Brings `copy` up to date with `repository`, and returns it as a repository of its own.

    Notebooks that were made in the copy stay. One whose directory has gone from the repository
    goes too, unless the local cloud still holds something of it.
    """
    for folder in ("shared-infra", "notebooks", "modules"):
        (copy / folder).mkdir(parents=True, exist_ok=True)
    for folder in ("modules", "bootstrap"):
        if (repository.root / folder).is_dir():
            _mirror_tree(repository.root / folder, copy / folder)
    files.write_if_new(copy / COMMON, _common(repository, copy / COMMON))
    bucket = backend.configured_backend(Repository(copy))
    stacks = repository.stacks()
    for stack in stacks:
        target = copy / stack.name
        is_new = not is_from_repository(target)
        _mirror_tree(stack.path, target)
        if is_new and bucket:
            files.write_if_new(target / backend.FILE, bucket.text(stack.name))
        (target / _FROM_REPOSITORY).touch()
        files.write_if_new(target / OVERRIDES, _overrides(target))
    _drop_gone({stack.name for stack in stacks}, copy)
    return Repository(copy, " --local", repository.env)


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


def _mirror_tree(source: Path, target: Path) -> None:
    kept = {VALUES} if (target / _OWN_VALUES).exists() else set()
    sources = {name: path for name, path in _mirrored_files(source) if name not in kept}
    for name, path in _mirrored_files(target):
        if name not in sources and name not in kept:
            path.unlink()
    for name, path in sources.items():
        copied = target / name
        copied.parent.mkdir(parents=True, exist_ok=True)
        if not _same(path, copied):
            copied.unlink(missing_ok=True)
            shutil.copy(path, copied, follow_symlinks=False)


def _same(path: Path, copied: Path) -> bool:
    if path.is_symlink() or copied.is_symlink():
        both = path.is_symlink() and copied.is_symlink()
        return both and path.readlink() == copied.readlink()
    return copied.is_file() and copied.read_bytes() == path.read_bytes()


def _mirrored_files(directory: Path) -> Iterator[tuple[str, Path]]:
    """The files that belong in the copy, relative name to path: no states, locks or backends."""
    for path in sorted(directory.rglob("*")):
        relative = path.relative_to(directory)
        if any(part.startswith(".") for part in relative.parts) or ".tfstate" in path.name:
            continue
        if path.name in (backend.FILE, OVERRIDES):
            continue
        if path.is_symlink() or path.is_file():
            yield str(relative), path


def _common(repository: Repository, copied: Path) -> str:
    """The repository's values, and the bucket of states that the copy has, if any."""
    before = reading.read_tfvars(copied) if copied.is_file() else {}
    values = _common_values(repository)
    for name in ("state_bucket", "state_prefix"):
        if name in before:
            values[name] = before[name]
    return format_assignments(values) + "\n"


def _common_values(repository: Repository) -> dict[str, reading.Value]:
    values = repository.common() if (repository.root / COMMON).is_file() else _DEFAULTS
    return {name: values[name] for name in _DEFAULTS}


def _overrides(stack: Path) -> str:
    """Stand-ins for the values in the stack's .tfvars that name something of an AWS account."""
    if (stack / _OWN_VALUES).exists():
        return "\n"
    names = {
        name
        for pattern in (VALUES, "*.auto.tfvars")
        for path in stack.glob(pattern)
        if path.name not in (OVERRIDES, COMMON)
        for name in _names(path)
    }
    return (
        format_assignments({name: _STAND_INS[name] for name in names if name in _STAND_INS}) + "\n"
    )


def _names(tfvars: Path) -> list[str]:
    """The names that a file sets; none if it does not parse, which Terraform reports by itself."""
    try:
        return reading.tfvars_names(tfvars)
    except UserError:
        return []


def _drop_gone(present: set[str], copy: Path) -> None:
    for marker in copy.glob(f"*/*/{_FROM_REPOSITORY}"):
        stack = marker.parent
        if str(stack.relative_to(copy)) not in present and not _holds_anything(stack):
            shutil.rmtree(stack)


def _holds_anything(stack: Path) -> bool:
    """Whether something in the local cloud may be known by the files of `stack` alone.

    A destroyed stack leaves a state without resources.
    """
    place = LocalPlace(stack / STATE)
    if (stack / ERRORED).exists() or place.lock():
        return True
    try:
        text = place.read()
        return text is not None and bool(State.parse(text, str(place)).resources)
    except UserError:
        return True
