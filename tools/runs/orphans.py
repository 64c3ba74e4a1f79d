"""States whose directory has gone: what they hold, what it costs, and how to destroy it."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from tools import SCRATCH
from tools.cost import prices
from tools.engine.records import Records
from tools.errors import UserError
from tools.hcl import writing
from tools.layout.patterns import match_names
from tools.layout.repository import COMMON, Repository
from tools.layout.stack import FOLDERS, Stack
from tools.runs.deployment import destroy_stacks
from tools.runs.session import Session
from tools.state.file import State
from tools.state.place import STATE, BucketPlace, LocalPlace

_HOURS = 730  # of a month, as AWS's own calculator has it


@dataclass(frozen=True)
class Orphan:
    """A state with resources and without a directory; `name` is the one that the stack had.

    `monthly_usd` is what its notebooks, volumes, interface endpoints and keys cost in a month of
    730 hours, None where a price is not records.
    """

    name: str
    place: LocalPlace | BucketPlace
    state: State
    region: str
    monthly_usd: Decimal | None

    @property
    def why(self) -> str:
        """What it is, in words."""
        usd = self.monthly_usd
        cost = (
            "its cost is not known"
            if usd is None
            else f"about ${usd:.2f} a month if all of it runs"
        )
        if isinstance(self.place, BucketPlace):
            return (
                "no directory here has this state. Run git pull first: a colleague may have "
                f"added it ({cost})"
            )
        return f"its directory has gone, and what it deployed has not ({cost})"


def find_orphans(records: Records) -> list[Orphan]:
    """Returns every orphan: states in the repository and beside the stacks' states in buckets.

    Raises UserError if a state is spoilt, or a bucket does not answer.
    """
    table = prices.load(records.repository.root / SCRATCH / "prices.json")
    names = {stack.name for stack in records.stacks}
    lineages = {records.lineage(stack) for stack in records.stacks}
    orphans = []
    states: list[tuple[str, LocalPlace | BucketPlace]] = [
        *_local(records.repository),
        *_in_buckets(records),
    ]
    for name, place in states:
        text = place.read() if name not in names else None
        state = State.parse(text, str(place)) if text else None
        # A renaming, or a way back from the bucket, leaves copies: to destroy one is to destroy
        # what a stack has.
        if text and state and state.resources and state.lineage not in lineages:
            region, usd = _cost(state, table)
            orphans.append(Orphan(name, place, state, region, usd))
    return orphans


def _local(repository: Repository) -> Iterator[tuple[str, LocalPlace]]:
    for folder in FOLDERS:
        for path in sorted((repository.root / folder).glob(f"*/{STATE}")):
            yield path.parent.relative_to(repository.root).as_posix(), LocalPlace(path)


def _in_buckets(records: Records) -> Iterator[tuple[str, BucketPlace]]:
    """What lies where stacks have their states: the part of their keys before the stack's name."""
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


def _cost(state: State, table: prices.Table) -> tuple[str, Decimal | None]:
    """The region of a state's resources and what a month of them costs."""
    region = ""
    total: Decimal | None = Decimal(0)
    for resource in state.resources:
        region = region or _region(resource.attributes)
        for figure, quantity in _figures(resource.type, resource.attributes):
            price = table.get(region, figure)
            is_priced = price is not None and total is not None
            total = total + quantity * price.usd if is_priced else None  # type: ignore[operator, union-attr]
    return region, total


def _region(attributes: Mapping[str, Any]) -> str:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html"""
    arn = str(attributes.get("arn") or "").split(":")
    return arn[3] if len(arn) > 5 else ""


def _figures(kind: str, attributes: Mapping[str, Any]) -> Iterator[tuple[str, Decimal]]:
    if kind == "aws_sagemaker_notebook_instance":
        yield str(attributes["instance_type"]), Decimal(_HOURS)
        yield "volume_gb_month", Decimal(attributes["volume_size"])
    elif kind == "aws_vpc_endpoint" and attributes["vpc_endpoint_type"] == "Interface":
        yield "endpoint_hour", Decimal(_HOURS * len(attributes["subnet_ids"]))
    elif kind == "aws_kms_key":
        yield "kms_key_month", Decimal(1)


def choose(found: Sequence[Orphan], patterns: Sequence[str]) -> list[Orphan]:
    """Those that `patterns` name, as `match_names` reads them; all without a pattern.

    Raises UserError for a pattern that names none.
    """
    names = match_names(patterns, (one.name for one in found), "no orphan is called")
    return [one for one in found if not patterns or one.name in names]


def write_roots(found: Sequence[Orphan], root: Path, common: Path, region: str) -> Repository:
    """Roots, in the folder `root`, that have the states of `found` and declare nothing.

    To apply one is to destroy what its state holds: Terraform needs a provider for that, and no
    more of what was once declared. `region` is that of what does not say where it lies.
    """
    shutil.rmtree(root, ignore_errors=True)
    for folder in (*FOLDERS, "modules"):
        (root / folder).mkdir(parents=True)
    if common.is_file():
        shutil.copy(common, root / COMMON)
    for orphan in found:
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
    """Destroys what stacks have left whose directory has gone, as `destroy_stacks` does.

    Raises UserError for a pattern that names no orphan, and without a pattern if states lie in a
    bucket.
    """
    chosen = choose(find_orphans(session.records), patterns)
    if not chosen:
        click.echo("no orphans: every state has its directory", err=True)
        return
    for orphan in chosen:
        click.echo(f"{orphan.name}: {orphan.why}", err=True)
    if not patterns and any(isinstance(orphan.place, BucketPlace) for orphan in chosen):
        names = " ".join(orphan.name for orphan in chosen)
        raise UserError(
            "states in a bucket may be of notebooks that a colleague has and this checkout has "
            f"not; pull, and then name those to destroy: tools destroy{session.target.option} "
            f"--orphan {names}"
        )
    orphaned = {orphan.name for orphan in chosen}
    for stack in session.records.stacks:
        state = session.records.state(stack)
        if state and state.resources and (used := orphaned.intersection(stack.upstream)):
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
        yield session.moved_to(repository)
