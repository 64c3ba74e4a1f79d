"""What states hold, by address and identifier."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.trees import write_stack
from tools.engine.records import Records
from tools.errors import UserError
from tools.imports import inventory
from tools.imports.inventory import Inventory
from tools.imports.request import ResourceImport
from tools.layout.repository import Repository
from tools.terraform.binary import Terraform

TERRAFORM = Terraform(Path("terraform"), "Terraform", (1, 5, 7), "linux_amd64", False, {})
STACK = "shared-infra/b"


def resource(type: str, name: str, attributes: Any, **more: Any) -> dict[str, Any]:
    module = {"module": more.pop("module")} if "module" in more else {}
    instance = {"attributes": attributes, **more}
    return {**module, "mode": "managed", "type": type, "name": name, "instances": [instance]}


def test_resources_are_known_by_address_and_import_identifier(tmp_path: Path) -> None:
    for folder in ("modules", "notebooks"):
        (tmp_path / folder).mkdir()
    folder = write_stack(tmp_path, STACK, "")
    resources = [
        {"mode": "data", "type": "aws_vpc", "name": "this", "instances": [{}]},
        resource("aws_s3_bucket", "further", {"id": "b"}, index_key="data sets"),
        resource("aws_vpc_endpoint", "s3", {"id": "vpce-1"}, index_key=0),
        resource("aws_kms_key", "k", {"id": "k"}, module="module.a[0]"),
        resource("aws_iam_role_policy_attachment", "p", {"role": "r", "policy_arn": "arn:p"}),
    ]
    state = {"version": 4, "serial": 1, "lineage": "l", "outputs": {}, "resources": resources}
    (folder / "terraform.tfstate").write_text(json.dumps(state))
    records = Records(Repository(tmp_path), TERRAFORM)
    assert inventory.read(records, records.stacks).resources_by_stack == {
        STACK: {
            'aws_s3_bucket.further["data sets"]': ("aws_s3_bucket", "b"),
            "aws_vpc_endpoint.s3[0]": ("aws_vpc_endpoint", "vpce-1"),
            "module.a[0].aws_kms_key.k": ("aws_kms_key", "k"),
            "aws_iam_role_policy_attachment.p": ("aws_iam_role_policy_attachment", "r/arn:p"),
        }
    }


def test_an_address_and_a_resource_are_taken_once() -> None:
    bucket = ResourceImport.at(STACK, "aws_s3_bucket.b", "data")
    held = Inventory({STACK: {"aws_s3_bucket.b": ("aws_s3_bucket", "data")}})
    assert held.holds(bucket)
    assert not Inventory({}).holds(bucket)
    with pytest.raises(UserError, match=r"already has data as aws_s3_bucket\.b, so other cannot"):
        held.holds(ResourceImport.at(STACK, "aws_s3_bucket.b", "other"))
    with pytest.raises(UserError, match=r"data is already in the state of shared-infra/b: aws_s3"):
        held.holds(ResourceImport.at(STACK, "aws_s3_bucket.c", "data"))
