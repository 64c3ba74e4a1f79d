"""Dependency lock files for every platform that a team works on.

`terraform init` notes the hashes of its own platform alone where it installs from a mirror, and
then refuses the provider on every other: https://developer.hashicorp.com/terraform/cli/commands/providers/lock
"""

import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.engine.records import Records
from tools.errors import UserError
from tools.hcl import reading, writing
from tools.hcl.module_folders import is_local
from tools.hcl.scanning import LOCK_FILE, locked_versions
from tools.layout.stack import Stack
from tools.system import files
from tools.terraform.binary import Terraform
from tools.terraform.diagnostics import TerraformError

PLATFORMS = ("linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64", "windows_amd64")

# The errors of `terraform providers lock` that a mirror helps with, in Terraform 1.0 as in 1.11:
# https://github.com/hashicorp/terraform/blob/v1.11.4/internal/getproviders/errors.go
# The document is that of https://github.com/hashicorp/terraform-svchost/blob/main/disco/disco.go
_UNREACHABLE = re.compile(r"could not connect to|discovery document|could not query provider regis")

Requirements = tuple[tuple[str, str], ...]
"""Provider sources with their version constraints, sorted."""


@dataclass(frozen=True)
class Locked:
    """What was locked: the stacks' `directories`, provider to version, and the platforms.

    `unreachable` is why the registry was not asked; the hashes are then a mirror's.
    """

    directories: Sequence[Path]
    versions: Mapping[str, str]
    platforms: Sequence[str]
    unreachable: str


def write_locks(
    records: Records,
    stacks: Sequence[Stack],
    upgrade: bool,
    say: Callable[[str], None] = lambda line: None,
) -> list[Locked]:
    """Writes the lock file of each stack for PLATFORMS, or for those that the mirror has.

    Stacks with the same requirements and the same locked versions share one request to the
    registry. Locked versions stay, unless `upgrade` takes the newest that fit. Nothing is written
    if one cannot be locked. Raises UserError if neither the registry nor a mirror has a provider,
    and for a stack whose requirements cannot be read.
    """
    groups: dict[tuple[Requirements, str], list[Path]] = {}
    for stack in stacks:
        lock = stack.path / LOCK_FILE
        versions = locked_versions(stack.path)
        kept = lock.read_text() if lock.is_file() and not upgrade else ""
        requirements = _requirements(stack, records.terraform_files(stack))
        groups.setdefault((requirements, str(sorted(versions.items())) if kept else ""), []).append(
            stack.path
        )
    locks: list[tuple[str, Locked]] = []
    for (requirements, kept), directories in groups.items():
        earlier = (directories[0] / LOCK_FILE).read_text() if kept else ""
        say(
            f"locking {', '.join(source for source, _ in requirements)} for {len(PLATFORMS)} "
            "platforms"
        )
        locks.append(_lock(records.terraform, requirements, earlier, directories))
    for text, locked in locks:
        for directory in locked.directories:
            files.write_if_new(directory / LOCK_FILE, text)
    return [locked for _, locked in locks]


def _lock(
    terraform: Terraform, requirements: Requirements, earlier: str, directories: Sequence[Path]
) -> tuple[str, Locked]:
    """Returns the text of a lock file, and what it holds."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "versions.tf").write_text(_configuration(requirements))
        if earlier:
            (folder / LOCK_FILE).write_text(earlier)
        platforms, unreachable = _run(terraform, folder)
        text = (folder / LOCK_FILE).read_text()
        # The registry's hashes, of an earlier lock file, are of every platform (HashSchemeZip):
        # https://github.com/hashicorp/terraform/blob/v1.11.4/internal/getproviders/providerreqs/hash.go
        if "zh:" in text:
            platforms = PLATFORMS
        versions = locked_versions(folder)
    return text, Locked(directories, versions, platforms, unreachable)


def _run(terraform: Terraform, folder: Path) -> tuple[Sequence[str], str]:
    try:
        terraform.lock_providers(folder, PLATFORMS)
    except TerraformError as error:
        mirror = terraform.mirror()
        if not mirror or not _UNREACHABLE.search(str(error)):
            raise
        platforms = [p for p in PLATFORMS if terraform.has_provider(mirror, p)]
        terraform.lock_providers(folder, platforms, mirror)
        return platforms, error.diagnostics[0].summary
    return PLATFORMS, ""


def _configuration(requirements: Requirements) -> str:
    """A root module that requires these providers and nothing else."""
    lines = []
    for number, (source, version) in enumerate(requirements):
        bound = f", version = {writing.dumps(version)}" if version else ""
        lines.append(f"    p{number} = {{ source = {writing.dumps(source)}{bound} }}\n")
    return "terraform {\n  required_providers {\n" + "".join(lines) + "  }\n}\n"


def _requirements(stack: Stack, terraform_files: Sequence[Path]) -> Requirements:
    """The providers of a stack and of its modules. Raises UserError if they cannot be read."""
    declared: dict[str, str] = {}
    constraints: dict[str, set[str]] = {}
    implied: set[str] = set()
    for file in terraform_files:
        inputs: Any = reading.read_init_inputs(file)
        sources = [_literal(arguments[0]) for arguments in inputs.get("modules", {}).values()]
        if "text" in inputs or not all(is_local(str(s)) for s in sources):
            raise UserError(
                f"{stack.name}: which providers it needs cannot be told from {file.name} (JSON, or "
                f"a module from elsewhere); lock it yourself: cd {stack.path}, then `terraform "
                f"providers lock {' '.join(f'-platform={p}' for p in PLATFORMS)}`, and name the "
                "others: tools lock STACK..."
            )
        implied |= set(inputs["providers"])
        for _, blocks in inputs["settings"]:
            for _, (attributes, _) in (b for b in blocks if b[0] == "required_providers"):
                for name, value in attributes.items():
                    source, version = _requirement(name, value)
                    declared[name] = source
                    constraints.setdefault(source, set()).update(_parts(version))
    for name in implied - declared.keys() - {"terraform"}:  # which is built in
        constraints.setdefault(f"hashicorp/{name}", set())
    return tuple(
        (source, ", ".join(sorted(parts))) for source, parts in sorted(constraints.items())
    )


def _requirement(name: str, value: Any) -> tuple[str, str]:
    """Source and version of a requirement: an object, or a version alone as before 0.13."""
    if value[0] != "object":
        return f"hashicorp/{name}", str(_literal(value) or "")
    pairs = {_literal(key): _literal(item) for key, item in value[1]}
    return str(pairs.get("source") or f"hashicorp/{name}"), str(pairs.get("version") or "")


def _literal(expression: Any) -> Any:
    return expression[1] if expression and expression[0] == "literal" else None


def _parts(version: str) -> set[str]:
    return {" ".join(part.split()) for part in version.split(",") if part.strip()}
