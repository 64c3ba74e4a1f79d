"""`tools cost` as a user runs it."""

import json
import shutil
from typing import Any

import pytest

from tests.unit.commands.conftest import Checkout
from tests.unit.cost.price_list import ireland, serving

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


def cost(checkout: Checkout, *arguments: str, **env: str) -> dict[str, Any]:
    done = checkout.tools("cost", "--json", *arguments, **env)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_fleet_that_was_never_deployed(checkout: Checkout) -> None:
    done = checkout.tools("cost")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "Region: us-east-1 is assumed; common.auto.tfvars sets none." in done.stdout
    # ml.t3.medium and 20 GB; ml.m5.2xlarge and 100 GB; three endpoints in one zone and the rest
    assert "$39.30" in done.stdout
    assert "$350.53" in done.stdout
    assert "$21.90" in done.stdout
    assert "Total: $414.15 a month in us-east-1" in done.stdout
    assert "Assumed: 100 GB in the shared buckets (--storage-gb)." in done.stdout
    assert "2026-09-24" in done.stdout
    assert cost(checkout)["total"]["all"] == {"usd": "414.15", "at_least": False}


def test_zones_are_those_of_the_applied_state(checkout: Checkout) -> None:
    state = checkout.root / "shared-infra/vpc-endpoints/terraform.tfstate"
    subnets = {"value": ["subnet-0a", "subnet-0b"], "type": ["list", "string"]}
    applied = {"version": 4, "lineage": "l", "serial": 1, "resources": []}
    state.write_text(json.dumps({**applied, "outputs": {"subnet_ids": subnets}}))
    found = cost(checkout)
    assert found["shared"][0]["what"] == "3 interface endpoints in 2 Availability Zones"
    assert found["shared"][0]["total"]["usd"] == "43.80"
    state.write_text("{")
    done = checkout.tools("cost")
    assert done.returncode == 0
    assert "1 is assumed" in done.stdout
    assert "is not a complete Terraform state" in done.stdout


def test_a_what_if_shows_the_difference(checkout: Checkout) -> None:
    change = "notebook-prod.instance_type=ml.m5.xlarge"
    done = checkout.tools("cost", "--what-if", change)
    assert "Without the changes: $414.15, a difference of -$168.63" in done.stdout
    found = cost(checkout, "--what-if", change)
    assert found["total"]["all"]["usd"] == "245.52"
    assert found["without_what_if"]["usd"] == "414.15"


def test_the_comparison_is_for_the_fleet_and_for_others(checkout: Checkout) -> None:
    found = cost(checkout, "--compare", "--notebooks", "1", "--notebooks", "10")["comparison"]
    assert [row["notebooks"] for row in found] == [1, 2, 10]
    assert [row["saved"]["usd"] for row in found] == ["0.00", "21.90", "197.10"]
    done = checkout.tools("cost", "--compare")
    assert "2 (this fleet)" in done.stdout
    assert "Sharing saves nothing with one notebook" in done.stdout
    assert "AWS does not charge for them" in done.stdout
    some = checkout.tools("cost", "notebook-dev", "--compare", "--hours", "100").stdout
    assert "1 (these notebooks)" in some
    assert "this fleet" not in some
    assert "Hours: 100 a month for each notebook, as --hours says." in some


@pytest.mark.parametrize("option", ["--notebooks", "--duplicated-gb"])
def test_options_of_the_comparison_do_nothing_without_it(checkout: Checkout, option: str) -> None:
    done = checkout.tools("cost", option, "3")
    assert done.returncode == 2
    assert "belong to --compare" in done.stderr


def test_no_notebooks_is_no_error(checkout: Checkout) -> None:
    for name in ("notebook-dev", "notebook-prod"):
        shutil.rmtree(checkout.root / "notebooks" / name)
    done = checkout.tools("cost", "--compare")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("No notebooks.")


def test_an_unknown_price_is_unknown_and_said(checkout: Checkout) -> None:
    change = "notebook-dev.instance_type=ml.p5.48xlarge"
    done = checkout.tools("cost", "notebook-dev", "--what-if", change)
    assert done.returncode == 0
    row = next(line for line in done.stdout.splitlines() if "ml.p5.48xlarge" in line)
    assert "unknown" in row
    assert "at least $2.80" in row
    assert "Total: at least $" in done.stdout
    assert "no price is known for ml.p5.48xlarge in us-east-1" in done.stderr
    found = cost(checkout, "notebook-dev", "--what-if", change)
    assert found["notebooks"][0]["compute"]["usd_a_unit"] is None
    assert found["notebooks"][0]["compute"]["total"] == {"usd": "0.00", "at_least": True}
    assert found["total"]["all"]["at_least"] is True
    assert found["unknown"] == ["ml.p5.48xlarge in us-east-1"]


def test_an_old_price_is_used_with_a_warning(checkout: Checkout) -> None:
    done = checkout.tools("cost", "notebook-dev", "--region", "eu-west-1")
    assert done.returncode == 0
    assert "$40.15" in done.stdout  # 730 h at $0.055
    assert "prices older than a year: ml.t3.medium in eu-west-1 (2023-12-31)" in done.stderr


def test_a_region_in_a_stack_s_own_values_is_that_of_all(checkout: Checkout) -> None:
    with (checkout.root / "notebooks/notebook-dev/terraform.tfvars").open("a") as file:
        file.write('region = "ap-south-1"\n')
    done = checkout.tools("cost")
    row = next(line for line in done.stdout.splitlines() if "notebook-dev" in line)
    assert "a month in ap-south-1" in done.stdout
    assert "$39.42" in row  # 730 h at $0.054
    assert "notebook volumes in ap-south-1" in done.stderr


def test_a_corrupt_table_is_one_clear_line_and_a_refresh_mends_it(checkout: Checkout) -> None:
    table = checkout.root / ".tools/prices.json"
    table.parent.mkdir(exist_ok=True)
    table.write_text("{")
    done = checkout.tools("cost")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"error: {table} is not a price table")
    assert "tools cost --refresh" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    with serving(ireland()) as endpoint:
        env = {**CREDENTIALS, "AWS_ENDPOINT_URL_PRICING": endpoint}
        found = cost(checkout, "--refresh", "--region", "eu-west-1", "notebook-dev", **env)
    assert found["total"]["all"]["at_least"] is False
    # What was fetched stays, and the tables of other regions are the repository's.
    assert cost(checkout, "--region", "eu-west-1", "notebook-dev") == found
    assert cost(checkout)["total"]["all"]["usd"] == "414.15"


@pytest.mark.parametrize(
    ("env", "words"),
    [({}, "no AWS credentials found"), (CREDENTIALS, "cannot ask for prices")],
)
def test_a_refresh_that_fails_leaves_the_table_as_it_was(
    checkout: Checkout, env: dict[str, str], words: str
) -> None:
    table = checkout.root / ".tools/prices.json"
    with serving(ireland()) as endpoint:
        good = {**CREDENTIALS, "AWS_ENDPOINT_URL_PRICING": endpoint}
        cost(checkout, "--refresh", "--region", "eu-west-1", **good)
    before = table.read_text()
    with serving([], refusal=(400, "AccessDeniedException")) as endpoint:
        bad = {**env, "AWS_ENDPOINT_URL_PRICING": endpoint}
        done = checkout.tools("cost", "--refresh", "--region", "eu-west-1", **bad)
    assert done.returncode == 1
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert table.read_text() == before


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nootbook-dev"], 1, "did you mean notebook-dev?"),
        (["--what-if", "notebook-dev.colour=red"], 1, "has no value called 'colour'"),
        (["--hours", "800"], 1, "a month has at most 744 hours"),
        (["--hours", "-1"], 2, "'-1' is not a number of 0 or more"),
        (["--storage-gb", "NaN"], 2, "'NaN' is not a number"),
        (["--region", "mars-north-1"], 1, "there is no region 'mars-north-1'"),
        (["--region", "cn-north-1", "--refresh"], 1, "prices in China are in CNY"),
    ],
)
def test_bad_input_is_told(checkout: Checkout, arguments: list[str], code: int, words: str) -> None:
    done = checkout.tools("cost", *arguments)
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
