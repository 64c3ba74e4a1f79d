"""Every root with their states in S3: apply, plan without changes, destroy."""

from collections.abc import Callable
from typing import Any

from .chain import check_chain, check_nothing_left, clients, stacks
from .conftest import NewTree
from .harness import Chain, Tree


def test_chain_over_states_in_s3(new_tree: NewTree, client: Callable[..., Any]) -> None:
    tree = new_tree()
    aws = clients(tree, client)
    bucket = f"{tree.project}-states"
    aws("s3").create_bucket(Bucket=bucket)
    keep_states_in(bucket, tree)
    with Chain(tree) as chain:
        check_chain(chain, aws)
        keys = {found["Key"] for found in aws("s3").list_objects_v2(Bucket=bucket)["Contents"]}
        assert keys == {f"ml-infra/{stack}/terraform.tfstate" for stack in stacks(tree)}
        assert list(tree.root.glob("*/*/terraform.tfstate")) == []
    assert [stack for stack in stacks(tree) if tree.resources(stack)] == []
    check_nothing_left(tree.project, aws, other_buckets=[bucket])


def keep_states_in(bucket: str, tree: Tree) -> None:
    """Does what a user does who keeps the states in S3."""
    tree.set_common(project=tree.project, region="us-east-1", state_bucket=bucket)
    for stack in stacks(tree):
        (tree.root / stack / "backend.tf").write_text(
            'terraform {\n  backend "s3" {\n'
            f'    bucket = "{bucket}"\n'
            f'    key    = "ml-infra/{stack}/terraform.tfstate"\n'
            '    region = "us-east-1"\n  }\n}\n'
        )
