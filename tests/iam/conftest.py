"""The policies as Terraform renders them: the roots applied to an account of the emulator."""

from typing import Any

import pytest

from tests.terraform.conftest import NewTree
from tests.terraform.conftest import new_tree as new_tree

from .rendered import Rendered, rendered


@pytest.fixture(scope="session")
def policies(new_tree: NewTree, client: Any) -> Rendered:
    return rendered(new_tree(), client)
