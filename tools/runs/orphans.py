"""Finds and destroys orphans: states whose directory holds no root module."""

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import chain
from pathlib import Path

from tools.console.figures import money
from tools.console.messages import say
from tools.cost import applied_resources, prices
from tools.cost.model import total
from tools.engine import in_use
from tools.engine.records import Records, UnfinishedApply
from tools.errors import UserError, first_of
from tools.hcl import writing
from tools.hcl.evaluation import Value
from tools.layout.files import file_names, holds_root
from tools.layout.patterns import match_names
from tools.layout.repository import COMMON, Repository
from tools.layout.stack import FOLDERS, Stack
from tools.runs.deployment import destroy_stacks
from tools.runs.session import Session
from tools.state.file import State, StateVersion, UnreadableState
from tools.state.place import ERRORED, RECORD_SUFFIX, STATE, BucketPlace, LocalPlace, Place

_MOST_SHOWN = 20  # resources of an orphan
_WORKSPACES = "/terraform.tfstate.d/"

_RootlessState = tuple[str, Place, bytes]  # name, place and content


@dataclass(frozen=True)
class Orphan:
    """A state with resources and without a root module; `name` is the one that the stack had.

    `monthly_usd` is what its notebooks, volumes, interface endpoints, NAT gateway and keys cost in
    a month, None if a price is not known.
    """

    name: str
    place: Place
    state: State
    region: str
    monthly_usd: Decimal | None

    @property
    def contents(self) -> str:
        """Its resources, in words; of many the first ones."""
        addresses = [resource.address for resource in self.state.resources]
        noun = "resource" if len(addresses) == 1 else "resources"
        return f"{len(addresses)} {noun}: {first_of(addresses, _MOST_SHOWN)}"

    @property
    def why(self) -> str:
        """What it is and what it costs, in words."""
        usd = self.monthly_usd
        month = "unknown" if usd is None else f"about {money(usd)} a month if all of it runs"
        cost = f"cost: {month}"
        if isinstance(self.place, BucketPlace):
            return (
                "no directory here has this state. Run git pull first: a colleague may have "
                f"added it ({cost})"
            )
        return f"its root module is gone, but its resources still exist ({cost})"


def find_orphans(records: Records) -> list[Orphan]:
    """Returns every orphan: states in the repository and beside the stacks' states in buckets.

    A directory that Terraform or OpenTofu would take for a root module makes no orphan, whatever
    keeps it from being a stack. Raises UserError if a state is corrupt, or a bucket does not
    answer.
    """
    return _orphans_among(_states_without_root(records))


def find_states(
    records: Records,
) -> tuple[list[Orphan], list[tuple[str, Place, str]]]:
    """Returns every orphan, and the other states without a root module: name, place and reason.

    The others are not to be destroyed here: nobody can tell what they hold, or they lie too deep.
    Raises as `find_orphans`.
    """
    states = list(_states_without_root(records))
    return _orphans_among(states), [*_others_among(states), *_notes_without_root(records)]


def _orphans_among(states: Iterable[_RootlessState]) -> list[Orphan]:
    price_table = prices.load()
    orphans = []
    for name, place, text in states:
        if _is_nested(name):
            continue
        with suppress(UnreadableState):
            state = State.parse(text, str(place))
            if state.resources:
                region, usd = _cost(state, price_table)
                orphans.append(Orphan(name, place, state, region, usd))
    return orphans


def _others_among(
    states: Iterable[_RootlessState],
) -> list[tuple[str, Place, str]]:
    not_orphans = []
    for name, place, text in states:
        try:
            state = State.parse(text, str(place))
            if state.resources and _is_nested(name):
                not_orphans.append((name, place, _describe_nested(name, place)))
        except UnreadableState as error:
            not_orphans.append((name, place, str(error)))
    return not_orphans


def _states_without_root(records: Records) -> Iterator[_RootlessState]:
    root = records.repository.root
    others = [unmanaged.stack for unmanaged in records.unmanaged]
    lineages = {records.lineage(stack) for stack in [*records.stacks, *others]}
    places: Iterator[tuple[str, Place]] = chain(
        _local_states(records), _places_in_buckets(records, STATE)
    )
    for name, place in places:
        text = None if holds_root(root / name) else place.read()
        version = StateVersion.parse(text) if text else None
        # rename-notebook and state disable leave copies: to destroy one would destroy what a
        # stack has.
        if text and not (version and version.lineage in lineages):
            yield name, place, text


def _notes_without_root(
    records: Records,
) -> Iterator[tuple[str, Place, str]]:
    """Yields the notes of applies that did not finish, of which neither root nor state is left."""
    places: Iterator[tuple[str, Place]] = chain(
        (
            (d.name, LocalPlace(records.repository.root / d.name / STATE))
            for d in records.directories
        ),
        _places_in_buckets(records, STATE + RECORD_SUFFIX),
    )
    for name, place in places:
        if not holds_root(records.repository.root / name) and not place.read():
            text = place.read(RECORD_SUFFIX)
            note = UnfinishedApply.parse(text) if text else None
            if note:
                yield (
                    name,
                    place,
                    f"{note}, and its root module is gone: what it made may be in AWS and in no "
                    f"state. Bring the directory back, then: tools adopt {name}",
                )


def _is_nested(name: str) -> bool:
    """Whether a state is of no directory that could be a stack's."""
    return name.count("/") != 1 or "/." in name


def _describe_nested(name: str, place: Place) -> str:
    folder, *_, last = name.split("/")
    why = f"no root module has this state, whose resources still exist; stacks lie in {folder}"
    if isinstance(place, LocalPlace) and place.path.name != STATE:
        return f"{why}: to destroy it as an orphan, move it to {folder}/NAME/{STATE}"
    if isinstance(place, LocalPlace):
        return (
            f"{why}: to destroy it as an orphan, move the directory to {folder}/{last.lstrip('.')}"
        )
    return why


def _local_states(records: Records) -> Iterator[tuple[str, LocalPlace]]:
    stacks = {stack.name for stack in records.stacks}
    for directory in records.directories:
        name, path = directory.name, records.repository.root / directory.name
        # The states of a stack's other workspaces are below it.
        owner = name.partition(_WORKSPACES)[0]
        if name in stacks or (owner != name and holds_root(records.repository.root / owner)):
            continue
        with suppress(OSError):
            for file in file_names(path):
                if file == STATE:
                    yield name, LocalPlace(path / file)
                elif file.endswith(".tfstate") and file != ERRORED:
                    yield f"{name}/{file}", LocalPlace(path / file)


def _places_in_buckets(records: Records, file: str) -> Iterator[tuple[str, BucketPlace]]:
    """Yields the places of states where `file` is, in the bucket folders of the stacks' states."""
    folders = {}
    for stack in records.stacks:
        place = records.place(stack)
        ending = f"{stack.name}/{STATE}"
        if isinstance(place, BucketPlace) and place.key.endswith(ending):
            folders[place.bucket, place.key.removesuffix(ending)] = place
    for (_, prefix), place in folders.items():
        for key in records.keys(place, prefix):
            parts = Path(key.removeprefix(prefix)).parts
            if len(parts) > 2 and parts[0] in FOLDERS and parts[-1] == file:
                yield "/".join(parts[:-1]), replace(place, key=f"{key.removesuffix(file)}{STATE}")


def _cost(state: State, price_table: prices.Table) -> tuple[str, Decimal | None]:
    """Returns the region of a state's resources and what they cost a month."""
    amount = total(line.amount for line in applied_resources.lines_of(state, price_table))
    return applied_resources.region_of(state), amount.usd if amount.complete else None


def write_roots(
    orphans: Sequence[Orphan], root: Path, common: Mapping[str, Value], region: str
) -> Repository:
    """Writes root modules into `root` that have the states of `orphans` and declare nothing.

    An apply of one destroys what its state holds: Terraform needs a provider for that, and nothing
    of what was declared. `common` are the repository's shared values, and `region` is for resources
    whose state names none.
    """
    shutil.rmtree(root, ignore_errors=True)
    for folder in (*FOLDERS, "modules"):
        (root / folder).mkdir(parents=True)
    (root / COMMON).write_text(f"{writing.format_assignments(common)}\n")
    for orphan in orphans:
        path = Stack(root, orphan.name).path
        path.mkdir()
        (path / "main.tf").write_text(_configuration(orphan, region))
    return Repository(root)


def _configuration(orphan: Orphan, region: str) -> str:
    place = orphan.place
    if isinstance(place, LocalPlace):
        backend = writing.backend_block("local", {"path": str(place.path)})
    else:
        backend = writing.backend_block("s3", place.arguments)
    if not any(instance.type.startswith("aws_") for instance in orphan.state.instances):
        # A provider block alone makes Terraform start the provider, to read its schema:
        # https://github.com/hashicorp/terraform/blob/v1.11.4/internal/schemarepo/loadschemas/load.go
        return backend
    return f'{backend}provider "aws" {{\n  region = {writing.quote(orphan.region or region)}\n}}\n'


def destroy_orphans(session: Session, patterns: Sequence[str]) -> None:
    """Destroys the orphans that `patterns` name, as `destroy_stacks` does.

    Raises UserError without a pattern, for one that names no orphan, if a deployed stack may read
    one of them, and if one may be the state of a stack.
    """
    orphans = find_orphans(session.records)
    names = match_names(patterns, (orphan.name for orphan in orphans), "no orphan is called")
    chosen = [orphan for orphan in orphans if not patterns or orphan.name in names]
    if not chosen:
        _, others = find_states(session.records)
        for name, _, reason in others:
            say(f"{name}: {reason}")
        if not others:
            say("no orphans: every state has its directory")
        return
    for orphan in chosen:
        say(f"{orphan.name}: {orphan.why}")
        say(f"  {orphan.contents}")
    if not patterns:
        raise UserError(
            f"name the orphans to destroy: tools destroy{session.target.option} --orphan "
            f"{' '.join(orphan.name for orphan in chosen)}"
        )
    _refuse_in_use(session.records, chosen)
    with open_orphans(session, chosen) as orphans_session:
        destroy_stacks(orphans_session, orphans_session.records.stacks)


def _refuse_in_use(records: Records, orphans: Sequence[Orphan]) -> None:
    """Raises UserError if a deployed stack may read one of `orphans`, or has one as its state."""
    for stack in [*records.stacks, *(root.stack for root in records.other_roots)]:
        if records.place(stack) is None:
            raise UserError(
                f"the files of {stack.name} do not say where its state is, so that "
                f"{orphans[0].name} may be its state; write its backend out in full, or destroy "
                "the orphan by hand"
            )
        own_names = [orphan.name for orphan in orphans if orphan.place.address == stack.address]
        if own_names:
            raise UserError(f"{own_names[0]} is no orphan: its state is that of {stack.name}")
        used_names = [
            orphan.name
            for orphan in orphans
            if in_use.is_unread(stack) or stack.may_read_address(orphan.place.address)
        ]
        if used_names and (reason := records.unreadable(stack)):
            raise UserError(f"{stack.name} uses, or may use, {', '.join(used_names)}, and {reason}")
        if used_names and in_use.may_hold_resources(records, stack):
            why = f" ({stack.unknown_reads[0]})" if stack.unknown_reads else ""
            raise UserError(
                f"{stack.name} may hold resources and uses, or may use, {', '.join(used_names)}"
                f"{why}; destroy it first, or make known what it reads"
            )


@contextmanager
def open_orphans(session: Session, orphans: Sequence[Orphan]) -> Iterator[Session]:
    """Yields the session of a repository in which `orphans` have directories again."""
    target = session.target
    with tempfile.TemporaryDirectory(prefix="orphans-") as folder:
        roots = Path(folder) / "roots"
        common = target.repository.shared_values()
        repository = write_roots(orphans, roots, common, target.region)
        options = replace(session.options, says_next=False)  # no directory is to be deleted
        moved = session.moved_to(replace(repository, option=target.option))
        yield replace(moved, options=options)
