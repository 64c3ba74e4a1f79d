"""The script that lets an old deployment go of what is in use here: for the user to run."""

import json
import re
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

from tools.errors import UserError
from tools.migration.legacy import Old
from tools.migration.mapping import Before, Fate, Row
from tools.system import files

_MADE = "# Made by `tools migrate`"
_FATES = "# fates: "
_USED = "In use here, or perhaps. It stays in AWS, and once it is let go of, nothing manages it."


def earlier(paths: Iterable[Path], old: Old) -> Before:
    """What scripts at `paths` that were made before say of this old deployment, the first foremost.

    What they let go of is in use here, and the state does not say so once they have run.
    """
    fates: dict[str, Fate] = {}
    found = [path for path in paths if path.exists() and _is_of(_read(path), old)]
    for path in reversed(found):
        fates |= _fates(path)
    return Before(str(found[0]) if found else "", fates)


def _fates(path: Path) -> dict[str, Fate]:
    lines = [line for line in _read(path).splitlines() if line.startswith(_FATES)]
    try:
        addresses = json.loads(lines[0].removeprefix(_FATES))
        return {str(address): fate for fate, listed in addresses.items() for address in listed}
    except (IndexError, ValueError, AttributeError, TypeError):
        raise UserError(
            f"{path}: its line {_FATES.strip()!r} is missing or spoilt, which says what was let go "
            "of; restore it"
        ) from None


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None


def _is_of(text: str, old: Old) -> bool:
    made = text.startswith(f"#!/bin/sh\n{_MADE}")
    return made and f"\nlineage={shlex.quote(old.lineage)}\n" in text


def check(path: Path, old: Old) -> None:
    """Raises UserError where `path` holds something else than the script of this migration."""
    if not path.exists():
        return
    text = _read(path)
    if not text.startswith(f"#!/bin/sh\n{_MADE}"):
        raise UserError(f"{path} exists and is no script of tools migrate; name another: --script")
    if not _is_of(text, old):
        raise UserError(f"{path} is of another old deployment; name another file: --script")


def name(old: Old, source: Path) -> str:
    """Such as state-rm-legacy.sh for a folder or a state file of that name."""
    stem = old.folder.resolve().name if old.folder else source.name.removesuffix(".tfstate")
    return f"state-rm-{re.sub(r'[^A-Za-z0-9._-]+', '-', stem).strip('-') or 'old'}.sh"


def text(old: Old, rows: Sequence[Row], program: str, plan: str) -> str:
    """The script: `program` is terraform or tofu, `plan` the command that verifies the migration.

    Each of its commands makes the state's serial one higher, so that a script which was interrupted
    tells its own work from another's.
    """
    groups = _groups(rows)
    network = [row for row in rows if row.fate == "network"]
    parts = [_head(old, rows, program, plan), _check([*groups.values(), network])]
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
    """Writes the script, to be run. Raises UserError where the disk refuses."""
    files.write(path, content, mode=0o755)


def _groups(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """What goes at once: what is used besides; what a stack has taken with all its parts.

    In this order: what is taken witnesses what is used besides, where the script is cut short.
    """
    stacks = {row.resource.address: row.to for row in rows if row.fate == "imported"}
    owners = {row.resource.address: row.to for row in rows if row.fate == "inside"}
    groups: dict[str, list[Row]] = {}
    for row in rows:
        address = row.resource.address
        while address in owners:
            address = owners[address]
        if row.fate in ("imported", "inside"):
            # A part may belong to what an earlier script let go of: the address here has its stack.
            stack = stacks.get(address, address.split(" ")[0])
            title = f"Taken by {stack}, and what belongs to it."
            groups.setdefault(title, []).append(row)
    used = [row for row in rows if row.fate == "used"]
    return {_USED: used, **groups} if used else groups


def _head(old: Old, rows: Sequence[Row], program: str, plan: str) -> str:
    return _HEAD.format(
        made=_MADE,
        where=_one_line(old.where),
        plan=plan,
        program=program,
        default=shlex.quote(str(old.folder.resolve())) if old.folder else "",
        usage=_USAGE if old.folder is None else "",
        lineage=shlex.quote(old.lineage),
        serial=old.serial,
        fates=_FATES + json.dumps(_by_fate(rows)),
    )


def _by_fate(rows: Sequence[Row]) -> dict[str, list[str]]:
    """Every address, for `earlier`: in JSON, which keeps to one line and to ASCII."""
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row.fate, []).append(row.resource.address)
    return found


def _check(groups: Sequence[Sequence[Row]]) -> str:
    firsts = " \\\n  ".join(shlex.quote(group[0].resource.address) for group in groups if group)
    return _CHECK.format(firsts=firsts)


def _reasons(rows: Sequence[Row]) -> str:
    told = [row for row in rows if row.reason]
    return "".join(f"# - {_one_line(f'{row.resource.address}: {row.reason}')}\n" for row in told)


def _command(rows: Sequence[Row]) -> str:
    return f"let_go \\\n  {_addresses(rows)}"


def _addresses(rows: Sequence[Row]) -> str:
    return " \\\n  ".join(shlex.quote(row.resource.address) for row in rows)


def _one_line(text: str) -> str:
    """No line's end may leave a comment: a name in a state may hold one."""
    return "".join(c if c.isprintable() else "?" for c in text)


_USAGE = """\
if [ $# -ne 1 ]; then
  echo "usage: $0 FOLDER   (the old deployment, where its Terraform is run)" >&2
  exit 2
fi
"""

_HEAD = r"""#!/bin/sh
{made} from {where}; run that again to make it anew.
#
# Lets the old deployment go of what is in use here, so that `{program} destroy` there takes none of
# it away. In AWS it changes nothing. The order: `{plan}` shows nothing destroyed and nothing
# replaced; this script; the rest of the old deployment is destroyed. After an interruption, run
# this again.
#
# The next line tells a later `tools migrate` what this one found; leave it as it is.
{fates}
set -eu

{usage}from=${{1:-{default}}}
lineage={lineage}
serial={serial}

state=$({program} -chdir="$from" state pull)
listed=$({program} -chdir="$from" state list)

gone() {{
  ! printf '%s\n' "$listed" | grep -Fqx -e "$1"
}}

# Where the first has gone and others have not, somebody took it out by hand.
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

# `state list` and the serial are from one state: each command below makes it one higher.
_CHECK = r"""removed=0
for first in \
  {firsts}
do
  if gone "$first"; then removed=$((removed + 1)); fi
done
if [ "$(field lineage)" != "$lineage" ] || [ "$(field serial)" != $((serial + removed)) ]; then
  echo "$from: its state is not the one that was migrated (serial $serial of $lineage);" >&2
  echo "something has changed it since, and nothing was done: run tools migrate again" >&2
  exit 1
fi"""

_NETWORK = """\
# The network: in use here, and managed by nothing here. Where the old deployment is to be destroyed
# as a whole, take the # away and run this again; nothing manages the network then. Or leave it, and
# keep the old folder for the network: remove everything else from its files, and apply."""

_STILL_THERE = r"""for address in \
  {addresses}
do
  if ! gone "$address"; then
    echo "$address is in use here, and \`{program} destroy\` in $from would take it away" >&2
  fi
done"""

# Data sources are of no matter; a key of a for_each may look like one.
_LEFT = r"""data='^(module\.[^].["[]+(\[("([^"\\]|\\.)*"|[0-9]+)\])?\.)*data\.'
first='(^|\.)aws_(sagemaker_notebook_instance|s3_bucket|kms_[a-z_]*key)\.'
left=$(printf '%s\n' "$listed" | grep -Ev -e "$data" -e '^$' || :)
if [ -n "$left" ]; then
  echo "\`PROGRAM destroy\` in $from destroys exactly what is left in its state:" >&2
  { printf '%s\n' "$left" | grep -E -e "$first" || :; } | sed 's/^/  /' >&2
  { printf '%s\n' "$left" | grep -Ev -e "$first" || :; } | sed 's/^/  /' >&2
  echo "Notebooks go with their volumes, buckets with force_destroy with their objects, and" >&2
  echo "what a key encrypts cannot be read any more. What is to stay: PROGRAM state rm ADDRESS" >&2
else
  echo "nothing is left in the state of $from: a destroy there destroys nothing" >&2
fi"""
