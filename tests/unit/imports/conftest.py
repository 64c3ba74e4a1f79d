"""The shipped repository, and moto's services in place of AWS's."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.trees import LAYOUT, copy_repository
from tests.unit.remote_state.conftest import REGION, RemoteTerraform, Team
from tests.unit.remote_state.conftest import _fresh_clients as _fresh_clients
from tests.unit.remote_state.conftest import team as team
from tools.aws.client import Cloud
from tools.engine.records import Records
from tools.imports.destination import Destination
from tools.layout.repository import Repository

WithValues = Callable[..., Destination]


@pytest.fixture
def shipped(team: Team, tmp_path: Path) -> Team:
    """The team with the shipped stacks instead of its own."""
    root = copy_repository(tmp_path / "repository", *LAYOUT)
    (root / "common.auto.tfvars").write_text(f'project = "acme"\nregion = "{REGION}"\n')
    (tmp_path / "home").mkdir(exist_ok=True)
    return Team(root, RemoteTerraform.at(tmp_path / "home"))


@pytest.fixture
def destination_with(shipped: Team) -> WithValues:
    """The shipped stacks, with values in their files: `iam='role_name = "x"'`."""

    def make(**texts: str) -> Destination:
        for stack, text in texts.items():
            folder = shipped.root / "shared-infra" / stack.replace("_", "-")
            (folder / "terraform.tfvars").write_text(f"{text}\n")
        records = Records(Repository(shipped.root), shipped.terraform)
        return Destination(Cloud(REGION), records, shipped.root / "templates/notebook")

    return make


@pytest.fixture
def destination(destination_with: WithValues) -> Destination:
    return destination_with()


def only_vpc(destination: Destination) -> str:
    """The VPC that moto has in a region, as a new account does: the default one."""
    (vpc,) = destination.cloud.client("ec2").describe_vpcs()["Vpcs"]
    return str(vpc["VpcId"])


def https(**to: Any) -> dict[str, Any]:
    """A rule's permission for HTTPS."""
    return {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, **to}
