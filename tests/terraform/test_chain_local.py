"""Every root with their states in local files: apply, plan without changes, destroy."""

from collections.abc import Callable
from typing import Any

from .chain import check_chain, check_nothing_left, clients, stacks
from .conftest import NewTree
from .harness import Chain


def test_chain_over_local_states(new_tree: NewTree, client: Callable[..., Any]) -> None:
    tree = new_tree()
    aws = clients(tree, client)
    with Chain(tree) as chain:
        check_chain(chain, aws)
    assert [stack for stack in stacks(tree) if tree.resources(stack)] == []
    check_nothing_left(tree.project, aws)
