"""The script of `terraform state rm` commands: it makes the old deployment let go of resources."""

import json
import re
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

from tools.errors import UserError
from tools.migration import relations
from tools.migration.legacy import LegacyDeployment
from tools.migration.mapping import Disposition, EarlierMigration, LegacyMapping, MappedResource
from tools.system import files

_MADE_BY = "# Made by `tools migrate`"
_DISPOSITIONS = "# dispositions: "
_TEMPLATE = "state_rm_script.sh.j2"
_USED = "In use here, or perhaps. It stays in AWS; no Terraform manages it afterwards."


def read_earlier(paths: Iterable[Path], legacy: LegacyDeployment) -> EarlierMigration:
    """Returns what the scripts that exist at `paths` say of this old deployment.

    The first path counts most. What a script let go of is in use here, which the old state does not
    show any more once the script has run. Raises UserError if a script is damaged.
    """
    dispositions: dict[str, Disposition] = {}
    scripts = [path for path in paths if path.exists() and _is_for(_read(path), legacy)]
    for path in reversed(scripts):
        dispositions |= _read_dispositions(path)
    return EarlierMigration(str(scripts[0]) if scripts else "", dispositions)


def _read_dispositions(path: Path) -> dict[str, Disposition]:
    lines = [line for line in _read(path).splitlines() if line.startswith(_DISPOSITIONS)]
    try:
        by_disposition = json.loads(lines[0].removeprefix(_DISPOSITIONS))
        return {
            str(address): disposition
            for disposition, addresses in by_disposition.items()
            for address in addresses
        }
    except (IndexError, ValueError, AttributeError, TypeError):
        raise UserError(
            f"{path}: its line {_DISPOSITIONS.strip()!r}, which lists what was let go, is missing "
            "or damaged; restore it"
        ) from None


def _read(path: Path) -> str:
    with files.explain_unreadable(path):
        return path.read_text(errors="replace")


def _is_script(text: str) -> bool:
    return text.startswith(f"#!/bin/sh\n{_MADE_BY}")


def _is_for(text: str, legacy: LegacyDeployment) -> bool:
    return _is_script(text) and f"\nlineage={shlex.quote(legacy.lineage)}\n" in text


def check_path(path: Path, legacy: LegacyDeployment) -> None:
    """Raises UserError if `path` holds anything but the script for this old deployment."""
    if not path.exists():
        return
    text = _read(path)
    if not _is_script(text):
        raise UserError(
            f"{path} exists, and tools migrate did not make it; choose another file: --script"
        )
    if not _is_for(text, legacy):
        raise UserError(f"{path} is for another old deployment; choose another file: --script")


def default_name(legacy: LegacyDeployment, source: Path) -> str:
    """Returns a file name such as state-rm-legacy.sh, for a folder or state file called legacy."""
    stem = legacy.folder.resolve().name if legacy.folder else source.name.removesuffix(".tfstate")
    return f"state-rm-{re.sub(r'[^A-Za-z0-9._-]+', '-', stem).strip('-') or 'old'}.sh"


def compose(legacy: LegacyDeployment, mapping: LegacyMapping, program: str, plan: str) -> str:
    """Returns the script's text.

    `program` is terraform or tofu, `plan` the command that verifies the migration. Each command of
    the script adds one to the state's serial: so an interrupted script tells its own changes from
    others.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"arguments": _arguments, "comment": _comment, "one_line": _one_line}
    groups = _groups(mapping.rows)
    network = [row.address for row in mapping.rows if row.disposition == "network"]
    forgotten = [
        row.address
        for row in mapping.rows
        if row.disposition in ("network", "stays") and relations.is_only_forgotten(row.resource)
    ]
    by_disposition: dict[str, list[str]] = {}
    for row in mapping.rows:
        by_disposition.setdefault(row.disposition, []).append(row.address)
    return environment.get_template(
        _TEMPLATE
    ).render(
        location=_one_line(legacy.location),
        program=program,
        plan=plan,
        dispositions=json.dumps(by_disposition),  # one line of ASCII for any address
        folder=shlex.quote(str(legacy.folder.resolve())) if legacy.folder else "",
        lineage=shlex.quote(legacy.lineage),
        serial=legacy.serial,
        firsts=[rows[0].address for rows in groups.values()] + network[:1],
        groups=groups,
        network=network,
        destroyed=[address for address in network if address not in forgotten],
        forgotten=forgotten,
    )


def _arguments(addresses: Iterable[str]) -> str:
    """The addresses as a shell's words, each on a line of its own."""
    return " \\\n  ".join(map(shlex.quote, addresses))


def _comment(text: str) -> str:
    return "".join(f"# {line}\n" for line in text.splitlines())


def write(path: Path, content: str) -> None:
    """Writes the script as an executable file. Raises UserError if the disk refuses."""
    files.write(path, content, mode=0o755)


def _groups(rows: Sequence[MappedResource]) -> dict[str, list[MappedResource]]:
    """What each command removes, by title: what is used; what a stack has, with all its parts.

    In this order: if the script is cut short, what is still in the state shows what is used.
    """
    stacks = {row.address: row.target for row in rows if row.disposition == "imported"}
    owners = {row.address: row.target for row in rows if row.disposition == "inside"}
    groups: dict[str, list[MappedResource]] = {}
    for row in rows:
        if row.disposition in ("imported", "inside"):
            owner = row.address
            while owner in owners:
                owner = owners[owner]
            # What an earlier script let go of is not in the state: its address begins with its
            # stack.
            stack = stacks.get(owner, owner.split(" ")[0])
            groups.setdefault(f"Imported by {stack}, with its parts.", []).append(row)
    used = [row for row in rows if row.disposition == "used"]
    return {_USED: used, **groups} if used else groups


def _one_line(text: str) -> str:
    """The text without line breaks, which would end a comment: a name in a state may hold one."""
    return "".join(c if c.isprintable() else "?" for c in text)
