"""What an orphan's state is worth."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from tools.cost import prices
from tools.cost.prices import Price, Table
from tools.runs import orphans
from tools.state.file import State
from tools.state.place import LocalPlace


def state(*resources: tuple[str, dict[str, Any]]) -> State:
    managed = [
        {"mode": "managed", "type": kind, "name": "x", "instances": [{"attributes": attributes}]}
        for kind, attributes in resources
    ]
    text = json.dumps({"lineage": "l", "serial": 1, "outputs": {}, "resources": managed})
    return State.parse(text.encode(), "x")


NOTEBOOK = (
    "aws_sagemaker_notebook_instance",
    {
        "arn": "arn:aws:sagemaker:us-east-1:123456789012:notebook-instance/n",
        "instance_type": "ml.t3.medium",
        "volume_size": 20,
    },
)


def table(**usd: str) -> Table:
    from datetime import date

    day = date(2026, 11, 22)
    return Table({"us-east-1": {n: Price(Decimal(v), "a test", day) for n, v in usd.items()}})


def test_a_month_of_a_notebook_and_its_volume() -> None:
    known = table(**{"ml.t3.medium": "0.05", "volume_gb_month": "0.14"})
    # 730 hours at $0.05 and 20 GB at $0.14.
    assert orphans._cost(state(NOTEBOOK), known) == ("us-east-1", Decimal("39.30"))


def test_an_endpoint_in_two_zones() -> None:
    endpoint = {
        "arn": "arn:aws:ec2:us-east-1:123456789012:vpc-endpoint/vpce-1",
        "vpc_endpoint_type": "Interface",
        "subnet_ids": ["a", "b"],
    }
    usd = orphans._cost(state(("aws_vpc_endpoint", endpoint)), table(endpoint_hour="0.01"))[1]
    assert usd == Decimal("14.60")  # 2 zones, 730 hours, $0.01


def test_a_price_that_is_not_known_makes_the_whole_unknown() -> None:
    assert orphans._cost(state(NOTEBOOK), table(volume_gb_month="0.14"))[1] is None
    assert orphans._cost(state(("aws_iam_role", {"arn": "arn:aws:iam::1:role/x"})), table())[1] == 0


def test_the_packaged_prices_know_it(tmp_path: Path) -> None:
    known = prices.load(tmp_path / "none.json")
    usd = orphans._cost(state(NOTEBOOK), known)[1]
    assert usd is not None
    place = LocalPlace(tmp_path / "terraform.tfstate")
    orphan = orphans.Orphan("notebooks/n", place, state(NOTEBOOK), "us-east-1", usd)
    assert f"${usd:.2f} a month" in orphan.why
    found = orphans.write_roots([orphan], tmp_path / "roots", tmp_path / "common", "eu-west-1")
    assert [stack.name for stack in found.stacks()] == ["notebooks/n"]
    text = (tmp_path / "roots/notebooks/n/main.tf").read_text()
    assert f'path = "{place.path}"' in text
    assert 'region = "us-east-1"' in text
    # What lies in no region, such as a role, is reached from that of the stacks.
    nowhere = replace(orphan, region="")
    orphans.write_roots([nowhere], tmp_path / "roots", tmp_path / "common", "eu-west-1")
    assert 'region = "eu-west-1"' in (tmp_path / "roots/notebooks/n/main.tf").read_text()
