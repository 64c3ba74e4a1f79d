"""Terraform without the user's settings, and quick: its processes end before they have garbage."""

import os
from pathlib import Path

import pytest

from tools.terraform.binary import Terraform


@pytest.fixture(scope="session")
def plain_terraform(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    env = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    scratch: Path = tmp_path_factory.mktemp("terraform")
    return Terraform.find({**env, "GOGC": "off"}, scratch)
