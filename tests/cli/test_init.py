import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import ptyprocess

from tests.cli.conftest import TOOLS, Checkout
from tests.trees import REPOSITORY
from tools.hcl import reading
from tools.localcloud.client import environment
from tools.localcloud.process import Running


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
    # Nobody has credentials here: what to type is said, and where it is to be found.
    assert "The VPCs cannot be listed: no AWS credentials found" in output
    assert "VPC > Your VPCs, column VPC ID" in output


REGION = "ap-northeast-2"  # of no other test


def test_lets_one_choose_among_what_aws_lists(
    checkout: Checkout, local_cloud: Running, client: Callable[..., Any]
) -> None:
    """The oracle is what the emulator was told to make."""
    ec2 = client("ec2", region=REGION)

    def named(kind: str, name: str) -> list[dict[str, Any]]:
        return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": name}]}]

    def make(name: str, cidr: str) -> str:
        tags = named("vpc", name)
        return str(ec2.create_vpc(CidrBlock=cidr, TagSpecifications=tags)["Vpc"]["VpcId"])

    make("a-other", "10.7.0.0/16")
    vpc = make("b-ml", "10.8.0.0/16")

    def subnet(name: str, number: int, zone: str) -> str:
        made = ec2.create_subnet(
            VpcId=vpc,
            CidrBlock=f"10.8.{number}.0/24",
            AvailabilityZone=f"{REGION}{zone}",
            TagSpecifications=named("subnet", name),
        )
        return str(made["Subnet"]["SubnetId"])

    one, public, two = subnet("one", 1, "a"), subnet("public", 2, "a"), subnet("two", 3, "b")
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    ec2.associate_route_table(RouteTableId=table, SubnetId=public)
    answers = ["acme", "", "9", "2", "1 2", "1 3", "", "1", "2"]
    env = {**checkout.env, **environment(local_cloud.endpoint, REGION), "TERM": "dumb"}
    process = ptyprocess.PtyProcess.spawn(
        [sys.executable, "-m", "tests.cli.patient", "init"],
        str(checkout.root),
        {**env, "PYTHONPATH": str(REPOSITORY)},
        dimensions=(50, 80),
    )
    process.write("".join(f"{answer}\n" for answer in answers).encode())
    output = b""
    with suppress(EOFError):
        while True:
            output += process.read()
    shown = output.decode().replace("\r\n", "\n")
    assert process.wait() == 0, shown
    rows = [line.split() for line in shown.splitlines()]
    assert ["2", vpc, "10.8.0.0/16", "b-ml"] in rows
    assert ["1", one, "10.8.1.0/24", f"{REGION}a", "none", "one"] in rows
    assert ["2", public, "10.8.2.0/24", f"{REGION}a", "public", "public"] in rows
    assert "9 is not a number from 1 to" in shown
    assert f"2 of them are in {REGION}a" in shown
    assert f"{one} is not public" in shown
    assert f"AWS region [{REGION}]:" in shown
    assert f"A month in {REGION}, notebooks and traffic apart: " in shown
    assert re.search("^  3 interface endpoints in 2 Availability Zones  ", shown, re.MULTILINE)
    assert re.search("^  NAT gateway  ", shown, re.MULTILINE)
    said = [f"A month in {REGION}", "\ncommon.auto.tfvars\n", "next: tools doctor"]
    assert sorted(said, key=shown.index) == said
    assert re.search("What +A month", shown)
    values = reading.read_tfvars(checkout.root / "common.auto.tfvars")
    assert values == {"project": "acme", "region": REGION}
    folder = checkout.root / "shared-infra"
    assert reading.read_tfvars(folder / "security-groups/terraform.tfvars")["vpc_id"] == vpc
    assert reading.read_tfvars(folder / "vpc-endpoints/terraform.tfvars") == {
        "subnet_ids": [one, two],
        "nat_subnet": public,
    }
