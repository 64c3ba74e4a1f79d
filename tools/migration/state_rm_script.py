"""The script of `terraform state rm` commands: it makes the old deployment let go of resources."""

import json
import re
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

from tools.errors import UserError
from tools.migration.legacy import LegacyDeployment
from tools.migration.mapping import Disposition, EarlierMigration, LegacyMapping, MappedResource
from tools.system import files

_MADE_BY = "# Made by `tools migrate`"
_DISPOSITIONS = "# dispositions: "
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
    try:
        return path.read_text(errors="replace")
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None


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
    groups = _groups(mapping.rows)
    network = [row for row in mapping.rows if row.disposition == "network"]
    parts = [_head(legacy, mapping, program, plan), _check([*groups.values(), network])]
    for title, group in groups.items():
        parts.append(f"# {_one_line(title)}\n{_reasons(group)}{_command(group)}")
    if network:
        command = "\n".join(f"# {line}" for line in _command(network).splitlines())
        parts.append(f"{_NETWORK}\n{command}")
    parts.append(f'listed=$({program} -chdir="$from" state list)')
    if network:
        parts.append(_STILL_THERE.format(addresses=_addresses(network), program=program))
    parts.append(_LEFT.replace("PROGRAM", program))
    return "\n\n".join(parts) + "\n"


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


def _head(legacy: LegacyDeployment, mapping: LegacyMapping, program: str, plan: str) -> str:
    by_disposition: dict[str, list[str]] = {}
    for row in mapping.rows:
        by_disposition.setdefault(row.disposition, []).append(row.address)
    return _HEAD.format(
        made=_MADE_BY,
        location=_one_line(legacy.location),
        plan=plan,
        program=program,
        default=shlex.quote(str(legacy.folder.resolve())) if legacy.folder else "",
        usage=_USAGE if legacy.folder is None else "",
        lineage=shlex.quote(legacy.lineage),
        serial=legacy.serial,
        # JSON keeps any address to one line of ASCII.
        dispositions=_DISPOSITIONS + json.dumps(by_disposition),
    )


def _check(groups: Sequence[Sequence[MappedResource]]) -> str:
    firsts = " \\\n  ".join(shlex.quote(group[0].address) for group in groups if group)
    return _CHECK.format(firsts=firsts)


def _reasons(rows: Sequence[MappedResource]) -> str:
    explained = [row for row in rows if row.reason]
    return "".join(f"# - {_one_line(f'{row.address}: {row.reason}')}\n" for row in explained)


def _command(rows: Sequence[MappedResource]) -> str:
    return f"let_go \\\n  {_addresses(rows)}"


def _addresses(rows: Sequence[MappedResource]) -> str:
    return " \\\n  ".join(shlex.quote(row.address) for row in rows)


def _one_line(text: str) -> str:
    """The text without line breaks, which would end a comment: a name in a state may hold one."""
    return "".join(c if c.isprintable() else "?" for c in text)


_USAGE = """\
if [ $# -ne 1 ]; then
  echo "usage: $0 FOLDER   (the old deployment, where its Terraform is run)" >&2
  exit 2
fi
"""

_HEAD = r"""#!/bin/sh
{made} from {location}; run that again to renew it.
#
# Removes what is in use here from the old deployment's state, so that `{program} destroy` there
# does not destroy it. It changes nothing in AWS. In this order: check that `{plan}` destroys and
# replaces nothing; run this script; destroy the rest of the old deployment. After an interruption,
# run this script again.
#
# A later `tools migrate` reads the next line; do not change it.
{dispositions}
set -eu

{usage}from=${{1:-{default}}}
lineage={lineage}
serial={serial}

state=$({program} -chdir="$from" state pull)
listed=$({program} -chdir="$from" state list)

gone() {{
  ! printf '%s\n' "$listed" | grep -Fqx -e "$1"
}}

# If only the first is gone, somebody removed it by hand.
let_go() {{
  if gone "$1"; then
    count=$#
    while [ "$count" -gt 0 ]; do
      address=$1
      shift
      gone "$address" || set -- "$@" "$address"
      count=$((count - 1))
    done
  fi
  [ $# -eq 0 ] || {program} -chdir="$from" state rm "$@"
}}

field() {{
  printf '%s\n' "$state" | sed -n "s/^ *\"$1\": *\"*\([^\",]*\)\"*,*\$/\1/p" | head -n 1
}}"""

# `state list` and the serial are from one state: each command below adds one to the serial.
_CHECK = r"""removed=0
for first in \
  {firsts}
do
  if gone "$first"; then removed=$((removed + 1)); fi
done
if [ "$(field lineage)" != "$lineage" ] || [ "$(field serial)" != $((serial + removed)) ]; then
  echo "$from: its state is not the one that was migrated (serial $serial of $lineage)." >&2
  echo "Something has changed it since. Nothing was done: run tools migrate again" >&2
  exit 1
fi"""

_NETWORK = """\
# The network: in use here, and not managed here. To destroy the old deployment as a whole, remove
# the # and run this again; no Terraform manages the network afterwards. Or leave this as it is, and
# keep the old folder for the network: remove everything else from its files, and apply."""

_STILL_THERE = r"""for address in \
  {addresses}
do
  if ! gone "$address"; then
    echo "$address is in use here, and \`{program} destroy\` in $from would destroy it" >&2
  fi
done"""

# Without data sources, whose addresses a key of a for_each may look like.
_LEFT = r"""data='^(module\.[^].["[]+(\[("([^"\\]|\\.)*"|[0-9]+)\])?\.)*data\.'
first='(^|\.)aws_(sagemaker_notebook_instance|s3_bucket|kms_[a-z_]*key)\.'
left=$(printf '%s\n' "$listed" | grep -Ev -e "$data" -e '^$' || :)
if [ -n "$left" ]; then
  echo "\`PROGRAM destroy\` in $from destroys exactly what is left in its state:" >&2
  { printf '%s\n' "$left" | grep -E -e "$first" || :; } | sed 's/^/  /' >&2
  { printf '%s\n' "$left" | grep -Ev -e "$first" || :; } | sed 's/^/  /' >&2
  echo "Notebooks go with their volumes, buckets with force_destroy with their objects, and" >&2
  echo "what a key encrypts cannot be read any more. To keep one: PROGRAM state rm ADDRESS" >&2
else
  echo "nothing is left in the state of $from: a destroy there destroys nothing" >&2
fi"""
