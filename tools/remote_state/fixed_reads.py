"""Reads of other stacks' states that would not follow when the states move."""

import os
from collections.abc import Mapping

from tools.console.messages import warn
from tools.errors import UserError
from tools.hcl import cache
from tools.layout.contents import keep_contents
from tools.layout.neighbours import Neighbours
from tools.layout.reads import StateAddress
from tools.layout.repository import COMMON, Repository


def refuse_fixed_reads(
    repository: Repository, common: str, destinations: Mapping[str, StateAddress]
) -> None:
    """Raises UserError if a stack would read a state where it is no more, or never was.

    `common` is what common.auto.tfvars is to be, and `destinations` has where the states are to be,
    by stack. Warns of reads that cannot be followed, and of functions, whose calls may depend on
    conditions.
    """
    values = {os.path.realpath(repository.root / COMMON): common.encode()}
    before = Neighbours(repository.root, repository.env)
    after = Neighbours(repository.root, repository.env, values)
    with cache.persisted(repository.root), keep_contents():
        owners = {address: name for name in destinations if (address := before.own(name))}
        ends = {*destinations.values()}
        for stack in destinations:
            known_addresses = {read.address for read in before.reads(stack)}
            for read in after.reads(stack):
                address = read.address
                if address is None and read.of_any:
                    warn(f"{stack}: {read.unknown}; see that it finds the states where they go")
                if address is None or address in ends:
                    continue
                # Where it reads today and no stack's state lies is another repository's.
                name = owners.get(address)
                if address not in known_addresses:
                    name = name or after.nominal(address)
                if name is None or name == stack:
                    continue
                if read.is_file:
                    warn(f"{stack} reads {address} by a function; it will be {destinations[name]}")
                    continue
                raise UserError(
                    f"{stack} would read the state of {name} at {address}, but it will be "
                    f"{destinations[name]}; take its place from var.state_bucket and "
                    "var.state_prefix, as shared-infra/iam does, and set these in "
                    f"{COMMON} alone"
                )
