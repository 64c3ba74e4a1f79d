"""After any sequence of deploy, destroy and destroy --orphan the states are as promised.

The promises are those of docs/deploy.md and docs/commands.md: a stack is deployed after those that
it reads; what a deployed stack reads is not destroyed; what is refused changes nothing; only what
was named is destroyed.
"""

from pathlib import Path

import pytest

from tests.soundness.sequence import Sequence
from tools.terraform.binary import Terraform


@pytest.mark.parametrize("seed", range(3))
def test_the_states_are_what_is_promised(
    seed: int, tmp_path: Path, plain_terraform: Terraform
) -> None:
    Sequence(seed, tmp_path, plain_terraform).run()


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(3, 203))
def test_the_states_of_many_are_what_is_promised(
    seed: int, tmp_path: Path, plain_terraform: Terraform
) -> None:
    Sequence(seed, tmp_path, plain_terraform).run()
