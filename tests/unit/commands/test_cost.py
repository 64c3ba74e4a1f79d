"""`tools cost` as a user runs it."""

import csv
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.unit.commands.conftest import Checkout
from tests.unit.cost import price_files
from tests.unit.cost.price_list import ireland, serving
from tools.cost import prices

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


def cost(checkout: Checkout, *arguments: str, **env: str) -> dict[str, Any]:
    done = checkout.tools("cost", "--json", *arguments, **env)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def user_table(checkout: Checkout) -> Path:
    """Where HOME says that the user's prices are; its environment has no XDG_CACHE_HOME."""
    return Path(checkout.env["HOME"]) / ".cache/sagemaker-notebooks/prices.json"


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
    table = done.stdout.partition("What if: ")[2].split("\n\n")[0].splitlines()[1:]
    assert [line.split() for line in table] == [
        ["What", "Before", "After", "Difference"],
        ["notebook-prod", "$350.53", "$181.90", "-$168.63"],
        ["total", "$414.15", "$245.52", "-$168.63"],
    ]
    found = cost(checkout, "--what-if", change)
    assert found["total"]["all"]["usd"] == "245.52"
    assert found["without_what_if"]["usd"] == "414.15"


def test_a_notebook_that_is_not_where_the_others_are_is_shown_with_its_region(
    checkout: Checkout,
) -> None:
    """The region of the others is in the total's line; a price of another has to say where."""
    done = checkout.tools("cost", "--what-if", "notebook-prod.region=eu-west-1")
    rows = re.findall(r"^(notebook-\w+(?: \(.*?\))?)  ", done.stdout.partition("\n\n")[0], re.M)
    assert sorted(rows) == ["notebook-dev", "notebook-prod (in eu-west-1)"]


def test_a_what_if_shows_what_all_share_and_no_difference_of_what_is_not_known(
    checkout: Checkout,
) -> None:
    services = 'shared-infra/vpc-endpoints.interface_services=["ec2"]'
    kind = "notebook-dev.instance_type=ml.p5.48xlarge"
    done = checkout.tools("cost", "--what-if", services, "--what-if", kind)
    table = done.stdout.partition("What if: ")[2].split("\n\n")[0].splitlines()[2:]
    # Two interface endpoints less, each $7.30 a month; no price is known of the other type.
    assert [re.split("  +", line) for line in table] == [
        ["notebook-dev", "$39.30", "at least $2.80", "unknown"],
        ["all shared", "$24.32", "$9.72", "-$14.60"],
        ["total", "$414.15", "at least $363.05", "unknown"],
    ]


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
    table = user_table(checkout)
    table.parent.mkdir(parents=True)
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
def test_what_the_api_refuses_comes_from_the_public_files(
    checkout: Checkout, env: dict[str, str], words: str
) -> None:
    arguments = ("--region", "eu-central-1", "notebook-dev")
    done = checkout.tools("cost", *arguments)
    assert "ml.t3.medium in eu-central-1" in done.stderr
    assert "run: tools cost --refresh" in done.stderr
    with (
        serving([], refusal=(400, "AccessDeniedException")) as endpoint,
        price_files.serving(price_files.frankfurt(), packed=True) as files,
    ):
        there = {"AWS_ENDPOINT_URL_PRICING": endpoint, "TOOLS_PRICE_FILES": files.url}
        done = checkout.tools("cost", "--refresh", *arguments, **env, **there)
    assert done.returncode == 0, done.stderr
    assert words in done.stderr
    assert "reading AWS's public price files instead" in done.stderr
    assert "9 prices of eu-central-1 from AWS's public price files" in done.stderr
    assert f"written to {user_table(checkout)}" in done.stderr
    found = cost(checkout, *arguments)
    assert found["unknown"] == []
    assert found["notebooks"][0]["total"]["usd"] == "47.87"  # 730 h at 0.061, 20 GB at 0.167
    assert not (checkout.root / ".tools/prices.json").exists()


def test_a_refresh_that_fails_leaves_the_table_as_it_was(checkout: Checkout) -> None:
    table = user_table(checkout)
    with serving(ireland()) as endpoint:
        good = {**CREDENTIALS, "AWS_ENDPOINT_URL_PRICING": endpoint}
        cost(checkout, "--refresh", "--region", "eu-west-1", **good)
    before = table.read_text()
    with (
        serving([], refusal=(400, "AccessDeniedException")) as endpoint,
        price_files.serving(price_files.frankfurt(), "eu-west-1", cut=10) as files,
    ):
        there = {"AWS_ENDPOINT_URL_PRICING": endpoint, "TOOLS_PRICE_FILES": files.url}
        bad = {**CREDENTIALS, **there}
        done = checkout.tools("cost", "--refresh", "--region", "eu-west-1", **bad)
    assert done.returncode == 1
    assert "10 bytes are missing" in done.stderr.splitlines()[-1]
    assert done.stdout == ""
    assert table.read_text() == before


def test_groups_are_those_of_the_values_and_add_up(checkout: Checkout) -> None:
    values = checkout.root / "notebooks/notebook-dev/terraform.tfvars"
    values.write_text(values.read_text() + '\ntags = { Team = "growth" }\n')
    whole = cost(checkout)
    each = {row["notebook"]: row["total"]["usd"] for row in whole["notebooks"]}
    by_team = cost(checkout, "--by", "tag:Team")["by"]
    assert by_team["key"] == "tag:Team"
    assert [(row["name"], row["notebooks"], row["total"]["usd"]) for row in by_team["groups"]] == [
        ("no tag Team", 1, each["notebook-prod"]),
        ("growth", 1, each["notebook-dev"]),
    ]
    by_type = {
        row["name"]: row["total"]["usd"] for row in cost(checkout, "--by", "type")["by"]["groups"]
    }
    assert by_type == {"ml.t3.medium": each["notebook-dev"], "ml.m5.2xlarge": each["notebook-prod"]}
    done = checkout.tools("cost", "--by", "environment")
    assert "$39.30" in next(line for line in done.stdout.splitlines() if "dev" in line)
    assert "Total: $414.15" in done.stdout


def test_of_many_groups_the_dearest_ten_are_shown(checkout: Checkout) -> None:
    values = checkout.root / "notebooks/notebook-dev/terraform.tfvars"
    for number in range(11):
        copy = checkout.root / f"notebooks/copy-{number:02}"
        shutil.copytree(values.parent, copy, symlinks=True)
        text = re.sub("owner *=.*", f'owner = "owner-{number:02}"', values.read_text())
        (copy / "terraform.tfvars").write_text(text)
    done = checkout.tools("cost", "--by", "owner")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    # The first owner has both notebooks of the repository, the ten others one of $39.30 each.
    shown = [line.split()[0] for line in lines if line.startswith(("data-science", "owner-"))]
    assert shown == ["data-science", *(f"owner-{number:02}" for number in range(9))]
    others = next(line for line in lines if line.startswith("2 others (--csv lists all)"))
    assert others.split()[-4] == "2"
    assert others.split()[-1] == "$78.60"
    shutil.rmtree(checkout.root / "notebooks/copy-10")
    done = checkout.tools("cost", "--by", "owner")
    assert "owner-09" in done.stdout  # alone in the row of the others it takes no less room
    assert "others" not in done.stdout


def test_a_nat_gateway_is_counted_and_its_traffic_assumed(checkout: Checkout) -> None:
    chosen = checkout.root / "shared-infra/vpc-endpoints/terraform.tfvars"
    assert "NAT gateway" not in checkout.tools("cost").stdout
    chosen.write_text('nat_subnet = "10.0.0.0/28"\n')
    done = checkout.tools("cost", "--nat-gb", "7")
    assert done.returncode == 0, done.stderr
    assert "endpoints (--endpoint-gb), 7 GB through the NAT gateway (--nat-gb)." in done.stdout
    price = prices.read(prices.PACKAGED).get("us-east-1", "nat_gb")
    assert price
    (traffic,) = (
        line
        for line in cost(checkout, "--nat-gb", "7")["shared"]
        if line["what"].startswith("data through it")
    )
    # Each of the two notebooks sends and receives so much.
    assert traffic["total"]["usd"] == f"{price.usd * 14:.2f}"


@pytest.mark.parametrize(
    "option", [(), ("--by", "owner"), ("--compare",), ("--region", "eu-central-1")]
)
def test_tables_fit_80_columns(checkout: Checkout, option: tuple[str, ...]) -> None:
    name = "a-notebook-with-a-name-that-is-rather-long"
    (checkout.root / "notebooks/notebook-dev").rename(checkout.root / "notebooks" / name)
    done = checkout.tools("cost", *option, COLUMNS="80")
    assert done.returncode == 0, done.stderr
    shown = done.stdout.partition("Sharing saves")[0].partition("Availability Zones: ")[0]
    tables = [line for line in shown.splitlines() if not line.startswith("Region: ")]
    assert len(tables) > 10
    assert max(map(len, tables)) <= 80
    assert any(line.split()[:1] == ["What"] for line in tables)  # and is no list for want of room
    if option != ("--by", "owner"):
        assert name in done.stdout


def test_csv_has_every_notebook_and_adds_up(checkout: Checkout) -> None:
    done = checkout.tools("cost", "--csv")
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert [row["name"] for row in rows[:2]] == ["notebook-dev", "notebook-prod"]
    assert rows[0]["month_usd"] == "39.30"
    # Each line is rounded to the cent.
    assert abs(sum(float(row["month_usd"]) for row in rows) - 414.15) < 0.05
    unknown = checkout.tools("cost", "--csv", "--region", "sa-east-1")
    row = next(csv.DictReader(unknown.stdout.splitlines()))
    assert (row["compute_usd"], row["month_usd"]) == ("", "")


@pytest.mark.parametrize("owner", ["=HYPERLINK(A1)", "-1+cmd", "@SUM(A1)", "-5.2.1"])
def test_a_spreadsheet_takes_no_cell_for_a_formula(checkout: Checkout, owner: str) -> None:
    values = checkout.root / "notebooks/notebook-dev/terraform.tfvars"
    values.write_text(values.read_text() + f'\nowner = "{owner}"\n')
    done = checkout.tools("cost", "--by", "owner", "--csv")
    assert f"'{owner}" in done.stdout


def test_of_many_notebooks_the_dearest_ten_are_shown(checkout: Checkout) -> None:
    for number in range(12):
        copy = checkout.root / f"notebooks/copy-{number:02}"
        shutil.copytree(checkout.root / "notebooks/notebook-dev", copy)
    done = checkout.tools("cost")
    lines = done.stdout.splitlines()
    shown = [line for line in lines if line.strip().startswith(("copy-", "notebook-"))]
    assert "notebook-prod" in shown[0]
    assert len(shown) == 10
    others = next(line for line in lines if "4 others" in line)
    assert "$157.20" in others  # four times 39.30
    assert len(checkout.tools("cost", "--csv").stdout.splitlines()) == 1 + 14 + 4


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nootbook-dev"], 1, "did you mean notebook-dev?"),
        (["--what-if", "notebook-dev.colour=red"], 1, "has no value called 'colour'"),
        (["--hours", "800"], 1, "a month has at most 744 hours"),
        (["--hours", "-1"], 2, "'-1' is not a number of 0 or more"),
        (["--storage-gb", "NaN"], 2, "'NaN' is not a number"),
        (["--region", "mars-north-1"], 1, "there is no region 'mars-north-1'"),
        (["--by", "colour"], 1, "there are owner, environment, type, tag:NAME"),
        (["--by", "enviroment"], 1, "did you mean environment?"),
        (["--by", "tag:Tem"], 1, "no notebook has a tag Tem"),
        (["--csv", "--json"], 2, "give --csv without --json"),
        (["--region", "cn-north-1", "--refresh"], 1, "prices in China are in CNY"),
    ],
)
def test_bad_input_is_told(checkout: Checkout, arguments: list[str], code: int, words: str) -> None:
    done = checkout.tools("cost", *arguments)
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
