"""What a scan shows as importable is imported: everything, in its order, of a rich account."""

import secrets
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Checkout, attach, user_env
from tests.imports.rich import Rich, build
from tests.trees import copy_repository
from tools.context import Context
from tools.imports import (
    buckets,
    endpoints,
    inventory,
    notebooks,
    pending_import,
    roles,
    scan,
    security_groups,
)
from tools.imports.destination import Destination
from tools.imports.inventory import Inventory
from tools.imports.notebooks import Shared
from tools.imports.request import ImportRequest
from tools.imports.scan import Candidate
from tools.localcloud.process import Running
from tools.runs.session import Session
from tools.system import files
from tools.terraform.binary import Terraform

REGION = "eu-west-2"


@pytest.fixture(scope="module")
def rich(client: Callable[..., Any]) -> Rich:
    return build(f"r{secrets.token_hex(4)}", partial(client, region=REGION))


@pytest.fixture
def destination(tmp_path: Path, terraform: Terraform, local_cloud: Running) -> Destination:
    """Stacks in which nothing is deployed, in a region where nobody else has anything."""
    checkout = Checkout(copy_repository(tmp_path / "repository"), user_env(terraform))
    attach(checkout, local_cloud)
    common = f'project = "acme"\nregion = "{REGION}"\n'
    (checkout.root / "common.auto.tfvars").write_text(common)
    return Destination.open(Session.open(Context(checkout.root, checkout.env), local=True))


def request(destination: Destination, candidate: Candidate) -> ImportRequest:
    """What the command asks for; a word in capitals is the user's to choose."""
    _, _, kind, name, *options = candidate.command.split()
    given = dict(zip(options[::2], options[1::2], strict=False))
    if kind == "bucket":
        purpose = given["--as"].replace("PURPOSE", f"p-{name[-8:].replace('.', '-')}")
        return buckets.request_bucket(destination, name, purpose)
    if kind == "role":
        return roles.request_role(destination, name)
    if kind == "security-group":
        return security_groups.request_group(destination, name, given["--as"])
    if kind == "endpoint":
        return endpoints.request_endpoint(destination, name)
    shared = Shared.so_far(destination)
    directory = given.get("--directory", "").replace("DIRECTORY", "another-one")
    return notebooks.request_notebook(destination, name, shared, directory or None)


def holding(managed: Inventory, wanted: ImportRequest) -> Inventory:
    """The states once what is `wanted` is imported."""
    stacks = {name: dict(resources) for name, resources in managed.resources_by_stack.items()}
    for one in wanted.imports:
        stacks.setdefault(one.stack, {})[one.address] = (one.type, one.identifier)
    return Inventory(stacks)


def test_everything_that_is_shown_as_importable_is_up_to_the_question(
    rich: Rich, destination: Destination
) -> None:
    """Each as its command does it, after those before it."""
    candidates = scan.find_candidates(destination)
    records = destination.records
    managed = inventory.read(records, records.stacks)
    for candidate in candidates:
        if candidate.command:
            wanted = request(destination, candidate)
            left = pending_import.find_left(records, managed, wanted, is_local=True)
            assert left.imports, candidate
            for edit in left.edits:
                files.write(edit.path, edit.after)
            destination._declared.clear()
            managed = holding(managed, wanted)
    shown = {(one.kind, one.name) for one in candidates if one.command}
    assert len(shown) == 2 + 1 + 2 + 4 + 4
    assert len({kind for kind, _ in shown}) == 5
    assert ("security-group", rich.shared_group) in shown
    assert len(candidates) == len(shown) + len(rich.refused)


def test_what_is_not_importable_has_its_reason(rich: Rich, destination: Destination) -> None:
    why = {one.name: one.why for one in scan.find_candidates(destination) if not one.command}
    assert why.keys() == rich.refused.keys()
    for name, reason in rich.refused.items():
        assert reason in why[name]
