"""Every root with their states in S3: apply, plan without changes, destroy."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.trees import leave_out_lifecycles

from .chain import check_deployed, check_encryption, check_nothing_left, clients, stacks
from .conftest import NewTree
from .harness import Chain, Tree


@pytest.mark.nightly
def test_chain_over_states_in_s3(new_tree: NewTree, client: Callable[..., Any]) -> None:
    tree = new_tree()
    leave_out_lifecycles(tree.root)
    aws = clients(tree, client)
    bucket = f"{tree.project}-states"
    aws("s3").create_bucket(Bucket=bucket)
    keep_states_in(bucket, tree)
    encrypt_with_a_key_of_one_s_own(tree)
    with Chain(tree) as chain:
        for stack in stacks(tree.root):
            chain.apply(stack)
        assert chain.changes() == {}
        outputs = {stack.split("/")[1]: tree.outputs(stack) for stack in chain.applied}
        check_deployed(outputs, aws)
        check_encryption(outputs, aws)
        keys = {found["Key"] for found in aws("s3").list_objects_v2(Bucket=bucket)["Contents"]}
        assert keys == {f"ml-infra/{stack}/terraform.tfstate" for stack in stacks(tree.root)}
        assert list(tree.root.glob("*/*/terraform.tfstate")) == []
    assert [stack for stack in stacks(tree.root) if tree.resources(stack)] == []
    check_nothing_left(tree.project, aws, other_buckets=[bucket])


def encrypt_with_a_key_of_one_s_own(tree: Tree) -> None:
    """The key that shared-infra/s3 makes, for buckets, logs and one notebook's volume."""
    keyed = {"create_kms_key": True, "log_groups": ["/aws/sagemaker/NotebookInstances"]}
    for stack, values in {
        "shared-infra/s3": keyed,
        "notebooks/notebook-prod": {"use_shared_kms_key": True},
    }.items():
        (tree.root / stack / "keyed.auto.tfvars.json").write_text(json.dumps(values))


def keep_states_in(bucket: str, tree: Tree) -> None:
    """Does what a user does who keeps the states in S3."""
    tree.set_common(project=tree.project, region="us-east-1", state_bucket=bucket)
    for stack in stacks(tree.root):
        (tree.root / stack / "backend.tf").write_text(
            'terraform {\n  backend "s3" {\n'
            f'    bucket = "{bucket}"\n'
            f'    key    = "ml-infra/{stack}/terraform.tfstate"\n'
            '    region = "us-east-1"\n  }\n}\n'
        )
