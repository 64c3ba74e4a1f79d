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
from tools.context import Context, Target
from tools.cost import prices
from tools.engine.records import Records
from tools.errors import UserError
from tools.hcl import writing
from tools.layout.patterns import match_names
from tools.layout.repository import COMMON, Repository
from tools.layout.stack import FOLDERS, Stack
from tools.runs.deployment import destroy_stacks
from tools.runs.session import Options, Where, records
from tools.state.file import State
from tools.state.place import STATE, BucketPlace, LocalPlace

_HOURS = 730  # of a month, as AWS's own calculator has it


@dataclass(frozen=True)
class Orphan:
    """A state with resources and without a directory; `name` is the one that the stack had.

    `monthly_usd` is what its notebooks, volumes, interface endpoints and keys cost in a month of
    730 hours, None where a price is not known.
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
            return f"no directory here has its state; pull first: a colleague may ({cost})"
        return f"its directory has gone, and what it deployed has not ({cost})"


def find(known: Records) -> list[Orphan]:
    """Every orphan: local states in the repository, others below the keys of stacks in buckets.

    Raises UserError where a state is spoilt, or a bucket does not answer.
    """
    table = prices.load(known.repository.root / SCRATCH / "prices.json")
    names = {stack.name for stack in known.stacks}
    held = {known.lineage(stack) for stack in known.stacks}
    found = []
    there: list[tuple[str, LocalPlace | BucketPlace]] = [
        *_local(known.repository),
        *_in_buckets(known),
    ]
    for name, place in there:
        text = place.read() if name not in names else None
        state = State.parse(text, str(place)) if text else None
        # A renaming, or a way back from the bucket, leaves copies: to destroy one is to destroy
        # what a stack has.
        if text and state and state.resources and state.lineage not in held:
            region, usd = _cost(state, table)
            found.append(Orphan(name, place, state, region, usd))
    return found


def _local(repository: Repository) -> Iterator[tuple[str, LocalPlace]]:
    for folder in FOLDERS:
        for path in sorted((repository.root / folder).glob(f"*/{STATE}")):
            yield path.parent.relative_to(repository.root).as_posix(), LocalPlace(path)


def _in_buckets(known: Records) -> Iterator[tuple[str, BucketPlace]]:
    """What lies where stacks have their states: the part of their keys before the stack's name."""
    folders = {}
    for stack in known.stacks:
        place = known.place(stack)
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
            known = price is not None and total is not None
            total = total + quantity * price.usd if known else None  # type: ignore[operator, union-attr]
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


def chosen(found: Sequence[Orphan], patterns: Sequence[str]) -> list[Orphan]:
    """Those that `patterns` name, as `match_names` reads them; all without a pattern.

    Raises UserError for a pattern that names none.
    """
    names = match_names(patterns, (one.name for one in found), "no orphan is called")
    return [one for one in found if not patterns or one.name in names]


def repository(found: Sequence[Orphan], root: Path, common: Path, region: str) -> Repository:
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


def destroy_orphans(
    context: Context,
    target: Target,
    known: Records,
    place: Where,
    patterns: Sequence[str],
    options: Options,
) -> None:
    """Destroys what stacks have left whose directory has gone, as `destroy_stacks` does others.

    Raises UserError for a pattern that names no orphan, and without one where states lie in a
    bucket.
    """
    found = chosen(find(known), patterns)
    if not found:
        click.echo("no orphans: every state has its directory", err=True)
        return
    for one in found:
        click.echo(f"{one.name}: {one.why}", err=True)
    if not patterns and any(isinstance(one.place, BucketPlace) for one in found):
        names = " ".join(one.name for one in found)
        raise UserError(
            "states in a bucket may be of notebooks that a colleague has and this checkout has "
            f"not; pull, and then name those to destroy: tools destroy{target.option} --orphan "
            f"{names}"
        )
    gone = {one.name for one in found}
    for stack in known.stacks:
        state = known.state(stack)
        if state and state.resources and (used := gone.intersection(stack.upstream)):
            raise UserError(f"{stack.name} is deployed and uses {', '.join(sorted(used))}")
    with of_orphans(target, place, found) as (there, theirs):
        destroy_stacks(context, there, theirs, place, theirs.stacks, options)


@contextmanager
def of_orphans(
    target: Target, place: Where, found: Sequence[Orphan]
) -> Iterator[tuple[Target, Records]]:
    """The target and the records as if the directories of `found` were there, inside."""
    root = target.repository.root
    with tempfile.TemporaryDirectory(prefix="orphans-") as folder:
        roots = Path(folder) / "roots"
        theirs = repository(found, roots, root / COMMON, target.region)
        there = replace(target, repository=theirs)
        yield there, records(there, place)
