"""Layouts in the manner of public Terraform, each migrated with Terraform on the local cloud."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.cli.conftest import Checkout, user_env
from tests.migration import layouts
from tests.migration.layouts import FAR, REGIONS, Layout
from tests.migration.legacy import checkout_in
from tests.trees import leave_out_lifecycles
from tools.localcloud.client import environment
from tools.localcloud.process import Running
from tools.terraform.binary import Terraform

pytestmark = pytest.mark.nightly

AWS = Callable[..., Any]
MOVABLE = ("aws_s3_bucket", "aws_sagemaker_notebook_instance")  # what a stack there could import
# The notebooks that stay with the old deployment, which a destroy there takes.
STAYING = {"no_vpc": {"aws_sagemaker_notebook_instance.this"}}
RULED = {"no_vpc"}  # has a bucket with lifecycle rules of its own, which the stack's replace


@dataclass(frozen=True)
class Moved:
    """A layout after the migration and the deployment, and how each went."""

    layout: Layout
    before: dict[str, Any]
    answer: Any
    checkout: Checkout

    def to(self, action: str) -> set[str]:
        """The old addresses of what is to be imported, let go, left to the user or to stay."""
        return {one["from"] for one in self.answer["resources"] if one["action"] == action}


@pytest.fixture(scope="module", params=REGIONS)
def moved(
    request: pytest.FixtureRequest,
    local_cloud: Running,
    kept_terraform: Terraform,
    terraform: Terraform,
    client: AWS,
    tmp_path_factory: pytest.TempPathFactory,
) -> Moved:
    name = request.param
    prefix = f"l{uuid4().hex[:6]}"
    if name == "foreign_role":
        _make_their_role(client, prefix)
    # tests/keeper.py says what a provider that keeps running is not for: two configurations.
    used = terraform if name == "two_regions" else kept_terraform
    region = REGIONS[name]
    env = {**user_env(used), **environment(local_cloud.endpoint, region)}
    folder = tmp_path_factory.mktemp("owners") / name
    layout = layouts.apply(name, folder, prefix, env, str(used.binary))
    before = layouts.identities(layout, client)
    root = tmp_path_factory.mktemp("repository")
    checkout = checkout_in(root, kept_terraform, local_cloud, f"p{uuid4().hex[:8]}")
    common = checkout.root / "common.auto.tfvars"
    common.write_text(common.read_text().replace("us-east-1", region))
    if name not in RULED:
        leave_out_lifecycles(root)
    done = checkout.tools("migrate", str(folder), "--local", "--json")
    assert done.returncode == 0, done.stderr
    deployed = checkout.tools("deploy", "--local")
    assert deployed.returncode == 0, deployed.stderr
    return Moved(layout, before, json.loads(done.stdout), checkout)


def _make_their_role(client: AWS, prefix: str) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    trust = {"Version": "2012-10-17", "Statement": [statement]}
    client("iam").create_role(
        RoleName=f"{prefix}-theirs", AssumeRolePolicyDocument=json.dumps(trust)
    )


def test_no_resource_is_another_one_and_the_plan_is_empty(moved: Moved, client: AWS) -> None:
    after = layouts.identities(moved.layout, client)
    assert {key: after.get(key) for key in moved.before} == moved.before
    planned = moved.checkout.tools("plan", "--local", "--refresh", "--json")
    plans = json.loads(planned.stdout)
    assert {plan["status"] for plan in plans} == {"unchanged"}, plans


def test_the_old_destroy_takes_nothing_that_moved(moved: Moved, tmp_path: Path) -> None:
    layout = moved.layout
    copy = tmp_path / layout.name
    shutil.copytree(layout.folder, copy, symlinks=True)
    shutil.copytree(layout.folder.parent / "network", tmp_path / "network")
    script = next(moved.checkout.root.glob("state-rm-*.sh"))
    ran = layout.owner.run("sh", str(script), str(copy))
    assert ran.returncode == 0, ran.stderr
    old = replace(layout, folder=copy)
    old.terraform("plan", "-destroy", "-input=false", "-out=destroy.tfplan")
    plan = json.loads(old.terraform("show", "-json", "destroy.tfplan"))
    destroyed = {
        change["address"]
        for change in plan.get("resource_changes", [])
        if change["change"]["actions"] == ["delete"]
    }
    assert destroyed & (moved.to("import") | moved.to("let go")) == set()
    assert destroyed == moved.to("stays") | moved.to("yours")
    notebooks = {address for address in destroyed if "notebook_instance." in address}
    assert notebooks == STAYING.get(layout.name, set())
    # What holds data and is destroyed is named, each by its address.
    (note,) = [n for n in moved.answer["notes"] if n.startswith("a destroy of the old")] or [""]
    assert all(address in note for address in moved.to("stays") & destroyed)


def test_what_is_in_another_region_is_named_and_let_go(moved: Moved) -> None:
    far = {address for address in moved.layout.identifiers() if address.endswith(".far")}
    assert bool(far) == (moved.layout.name == "two_regions")
    assert far <= moved.to("let go")
    named = " ".join(note for note in moved.answer["notes"] if f"in region {FAR}" in note)
    assert all(f"{kind}.far" in named for kind in MOVABLE) == bool(far)


def test_its_state_is_as_the_one_that_every_run_maps(moved: Moved) -> None:
    """To renew the recording: copy the file that this names."""
    shapes = [_shape(moved.layout.state()), _shape(json.loads(_recorded(moved).read_text()))]
    fresh = moved.layout.folder / "terraform.tfstate"
    assert shapes[0] == shapes[1], f"cp {fresh} {_recorded(moved)}"


def _recorded(moved: Moved) -> Path:
    return layouts.STATES / f"{moved.layout.name}.json"


def _shape(state: Any) -> set[str]:
    return {
        f"{one.get('module', '')} {one['type']}.{one['name']}"
        for one in state["resources"]
        if one["mode"] == "managed"
    }
