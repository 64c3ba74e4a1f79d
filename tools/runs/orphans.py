"""Finds and destroys orphans: states whose directory is gone."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any

from tools.console.messages import say
from tools.cost import prices
from tools.cost.model import MONTH, Line, total
from tools.engine.records import Records
from tools.errors import UserError
from tools.hcl import writing
from tools.layout.patterns import match_names
from tools.layout.repository import COMMON, Repository
from tools.layout.stack import FOLDERS, Stack
from tools.runs.deployment import destroy_stacks
from tools.runs.session import Session
from tools.state.file import State, StateVersion, UnreadableState
from tools.state.place import STATE, BucketPlace, LocalPlace


@dataclass(frozen=True)
class Orphan:
    """A state with resources and without a directory; `name` is the one that the stack had.

    `monthly_usd` is what its notebooks, volumes, interface endpoints and keys cost in a month of
    730 hours, None if a price is not known.
    """

    name: str
    place: LocalPlace | BucketPlace
    state: State
    region: str
    monthly_usd: Decimal | None

    @property
    def why(self) -> str:
        """What it is and what it costs, in words."""
        usd = self.monthly_usd
        month = "unknown" if usd is None else f"about ${usd:.2f} a month if all of it runs"
        cost = f"cost: {month}"
        if isinstance(self.place, BucketPlace):
            return (
                "no directory here has this state. Run git pull first: a colleague may have "
                f"added it ({cost})"
            )
        return f"its directory is gone, but its resources still exist ({cost})"


def find_orphans(records: Records) -> list[Orphan]:
    """Returns every orphan: states in the repository and beside the stacks' states in buckets.

    Raises UserError if a state is corrupt, or a bucket does not answer.
    """
    price_table = prices.load(prices.user_prices_path(records.repository))
    orphans = []
    for name, place, text in _states_without_stack(records):
        with suppress(UnreadableState):
            state = State.parse(text, str(place))
            if state.resources:
                region, usd = _cost(state, price_table)
                orphans.append(Orphan(name, place, state, region, usd))
    return orphans


def find_unreadable(records: Records) -> list[tuple[str, LocalPlace | BucketPlace, str]]:
    """Returns states without a directory of which nobody can tell what they hold, and why.

    They are no orphans to be destroyed: name, place and reason. Raises as `find_orphans`.
    """
    unreadable = []
    for name, place, text in _states_without_stack(records):
        try:
            State.parse(text, str(place))
        except UnreadableState as error:
            unreadable.append((name, place, str(error)))
    return unreadable


def _states_without_stack(
    records: Records,
) -> Iterator[tuple[str, LocalPlace | BucketPlace, bytes]]:
    names = {stack.name for stack in records.stacks}
    lineages = {records.lineage(stack) for stack in records.stacks}
    states: Iterator[tuple[str, LocalPlace | BucketPlace]] = chain(
        _local_states(records.repository), _states_in_buckets(records)
    )
    for name, place in states:
        text = place.read() if name not in names else None
        version = StateVersion.parse(text) if text else None
        # rename-notebook and state disable leave copies: to destroy one would destroy what a
        # stack has.
        if text and not (version and version.lineage in lineages):
            yield name, place, text


def _local_states(repository: Repository) -> Iterator[tuple[str, LocalPlace]]:
    for folder in FOLDERS:
        for path in sorted((repository.root / folder).glob(f"*/{STATE}")):
            yield path.parent.relative_to(repository.root).as_posix(), LocalPlace(path)


def _states_in_buckets(records: Records) -> Iterator[tuple[str, BucketPlace]]:
    """Yields the states in the bucket folders in which stacks have theirs."""
    folders = {}
    for stack in records.stacks:
        place = records.place(stack)
        ending = f"{stack.name}/{STATE}"
        if isinstance(place, BucketPlace) and place.key.endswith(ending):
            folders[place.bucket, place.key.removesuffix(ending)] = place
    for (bucket, prefix), place in folders.items():
        for key in place.objects(place.region).keys(bucket, prefix):
            parts = Path(key.removeprefix(prefix)).parts
            if len(parts) == 3 and parts[0] in FOLDERS and parts[2] == STATE:
                yield "/".join(parts[:2]), replace(place, key=key)


def _cost(state: State, price_table: prices.Table) -> tuple[str, Decimal | None]:
    """Returns the region of a state's resources and what they cost a month."""
    region = ""
    lines = []
    for resource in state.resources:
        region = region or _region(resource.attributes)
        for figure, quantity in _figures(resource.type, resource.attributes):
            price = price_table.get(region, figure)
            lines.append(Line(resource.type, quantity, "", region, figure, price))
    amount = total(line.amount for line in lines)
    return region, amount.usd if amount.complete else None


def _region(attributes: Mapping[str, Any]) -> str:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html"""
    arn = str(attributes.get("arn") or "").split(":")
    return arn[3] if len(arn) > 5 else ""


def _figures(kind: str, attributes: Mapping[str, Any]) -> Iterator[tuple[str, Decimal]]:
    if kind == "aws_sagemaker_notebook_instance":
        yield str(attributes["instance_type"]), MONTH
        yield "volume_gb_month", Decimal(attributes["volume_size"])
    elif kind == "aws_vpc_endpoint" and attributes["vpc_endpoint_type"] == "Interface":
        yield "endpoint_hour", MONTH * len(attributes["subnet_ids"])
    elif kind == "aws_kms_key":
        yield "kms_key_month", Decimal(1)


def write_roots(orphans: Sequence[Orphan], root: Path, common: Path, region: str) -> Repository:
    """Writes root modules into `root` that have the states of `orphans` and declare nothing.

    An apply of one destroys what its state holds: Terraform needs a provider for that, and nothing
    of what was declared. `region` is for resources whose state names none.
    """
    shutil.rmtree(root, ignore_errors=True)
    for folder in (*FOLDERS, "modules"):
        (root / folder).mkdir(parents=True)
    if common.is_file():
        shutil.copy(common, root / COMMON)
    for orphan in orphans:
        directory = Stack(root, orphan.name).path
        directory.mkdir()
        (directory / "main.tf").write_text(_configuration(orphan, region))
    return Repository(root)


def _configuration(orphan: Orphan, region: str) -> str:
    place = orphan.place
    if isinstance(place, LocalPlace):
        backend = writing.backend_block("local", {"path": str(place.path)})
    else:
        backend = writing.backend_block("s3", place.arguments)
    return f'{backend}provider "aws" {{\n  region = {writing.quote(orphan.region or region)}\n}}\n'


def destroy_orphans(session: Session, patterns: Sequence[str]) -> None:
    """Destroys the orphans that `patterns` name, as `destroy_stacks` does; all without a pattern.

    Raises UserError for a pattern that names no orphan, and without a pattern if states lie in a
    bucket.
    """
    orphans = find_orphans(session.records)
    names = match_names(patterns, (orphan.name for orphan in orphans), "no orphan is called")
    chosen = [orphan for orphan in orphans if not patterns or orphan.name in names]
    if not chosen:
        say("no orphans: every state has its directory")
        return
    for orphan in chosen:
        say(f"{orphan.name}: {orphan.why}")
    if not patterns and any(isinstance(orphan.place, BucketPlace) for orphan in chosen):
        raise UserError(
            "a state in a bucket may belong to a colleague's notebook. Run git pull, then name the "
            f"orphans to destroy: tools destroy{session.target.option} --orphan "
            f"{' '.join(orphan.name for orphan in chosen)}"
        )
    orphaned = {orphan.name for orphan in chosen}
    for stack in session.records.stacks:
        used = orphaned.intersection(stack.upstream)
        if used and (reason := session.records.unreadable(stack)):
            raise UserError(f"{stack.name} uses {', '.join(sorted(used))}, and {reason}")
        state = session.records.state(stack) if used else None
        if state and state.resources:
            raise UserError(f"{stack.name} is deployed and uses {', '.join(sorted(used))}")
    with open_orphans(session, chosen) as orphans_session:
        destroy_stacks(orphans_session, orphans_session.records.stacks)


@contextmanager
def open_orphans(session: Session, orphans: Sequence[Orphan]) -> Iterator[Session]:
    """Yields the session of a repository in which `orphans` have directories again."""
    target = session.target
    with tempfile.TemporaryDirectory(prefix="orphans-") as folder:
        roots = Path(folder) / "roots"
        common = target.repository.root / COMMON
        repository = write_roots(orphans, roots, common, target.region)
        yield session.moved_to(replace(repository, option=target.option))
