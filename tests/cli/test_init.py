import os
import pty
import subprocess

from tests.cli.conftest import TOOLS, Checkout
from tools.hcl import reading


def test_asks_on_a_terminal_until_an_answer_is_right(checkout: Checkout) -> None:
    person, terminal = pty.openpty()
    process = subprocess.Popen(
        [TOOLS, "init"],
        cwd=checkout.root,
        env=checkout.env,
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    os.write(
        person,
        b"Acme\nacme\neu-west-1\nvpc\nvpc-01234567\nsubnet-01234567 subnet-89abcdef\nsdk\n\n",
    )
    output = process.communicate(timeout=300)[0].decode()
    os.close(terminal)
    os.close(person)
    assert process.returncode == 0, output
    assert "'Acme' is not a project name" in output
    assert "--vpc-id 'vpc'" in output
    endpoints = checkout.root / "shared-infra/vpc-endpoints/terraform.tfvars"
    assert reading.read_tfvars(endpoints) == {
        "subnet_ids": ["subnet-01234567", "subnet-89abcdef"],
        "interface_services": ["sagemaker.api", "sagemaker.runtime", "ec2", "sts", "logs"],
    }
    # No price of eu-west-1 is known here, and none is invented.
    assert "sdk: sagemaker.api, sagemaker.runtime, ec2, sts, logs: unknown" in output
