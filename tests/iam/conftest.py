"""The policies as Terraform renders them: the roots applied to an account of the emulator."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.terraform.conftest import NewTree
from tests.terraform.conftest import new_tree as new_tree

from .rendered import Rendered, rendered


@pytest.fixture(scope="session")
def policies(new_tree: NewTree, client: Any) -> Iterator[Rendered]:
    with rendered(new_tree(), client) as found:
        yield found
