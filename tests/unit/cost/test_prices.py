import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tools.aws import model
from tools.cost import prices
from tools.cost.prices import PACKAGED, Price, Table
from tools.errors import UserError

PRICE = Price(Decimal("0.0464"), "somebody", date(2026, 1, 31))


def test_the_repository_s_table_is_sourced_dated_and_about_what_exists() -> None:
    table = prices.read(PACKAGED)
    types = model.member("InstanceType").metadata["enum"]
    for region in table.regions:
        assert region in model.regions()
        for figure, price in table.prices[region].items():
            assert figure in prices.SINGLE or figure in types
            assert price.source
            assert date(2020, 1, 1) < price.on <= date.today()
            assert 0 < price.usd < 200


def test_the_repository_s_table_prices_every_profile_and_the_shared_stacks_in_us_east_1() -> None:
    figures = {*prices.SINGLE, "ml.t3.medium", "ml.m5.xlarge", "ml.m5.2xlarge"}
    assert figures <= prices.read(PACKAGED).prices["us-east-1"].keys()


def test_every_source_of_the_repository_s_table_is_used() -> None:
    content = json.loads(PACKAGED.read_text())
    used = {
        source
        for figures in content["regions"].values()
        for value in figures.values()
        for _, source in (value.values() if isinstance(value, dict) else [value])
    }
    assert used == content["sources"].keys()


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    table = Table({"us-east-1": {"ml.t3.medium": PRICE, "endpoint_hour": PRICE}})
    path = tmp_path / "new" / "prices.json"
    prices.write(table, path)
    assert prices.read(path) == table
    assert list(path.parent.iterdir()) == [path]


@pytest.fixture
def user_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The place of the user's table, in a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return prices.user_path()


def test_the_user_s_prices_lie_over_the_repository_s(user_table: Path) -> None:
    prices.write(Table({"us-east-1": {"ml.t3.medium": PRICE}}), user_table)
    table = prices.load()
    assert table.get("us-east-1", "ml.t3.medium") == PRICE
    known = prices.read(PACKAGED)
    assert table.get("us-east-1", "ml.m5.xlarge") == known.get("us-east-1", "ml.m5.xlarge")
    assert table.get("ap-south-1", "ml.t3.medium") == known.get("ap-south-1", "ml.t3.medium")


@pytest.mark.usefixtures("user_table")
def test_without_a_user_s_table_the_repository_s_is_taken() -> None:
    assert prices.load() == prices.read(PACKAGED)


def test_the_user_s_table_is_in_their_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/me")
    assert prices.user_path() == Path("/var/me/sagemaker-notebooks/prices.json")
    # The specification: a relative path is to be ignored.
    for value in ("", "here"):
        monkeypatch.setenv("XDG_CACHE_HOME", value)
        assert prices.user_path() == Path("/home/me/.cache/sagemaker-notebooks/prices.json")


def test_what_nobody_priced_is_unknown() -> None:
    table = Table({"us-east-1": {}})
    assert table.get("us-east-1", "ml.t3.medium") is None
    assert table.get("mars-north-1", "ml.t3.medium") is None


def content(**changes: Any) -> dict[str, Any]:
    good = {
        "format": 1,
        "sources": {"s": {"name": "somebody", "date": "2026-01-31"}},
        "regions": {"us-east-1": {"endpoint_hour": [0.01, "s"], "notebook_hour": {}}},
    }
    return good | changes


def test_the_smallest_table_is_one(tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    path.write_text(json.dumps(content()))
    price = prices.read(path).get("us-east-1", "endpoint_hour")
    assert price == Price(Decimal("0.01"), "somebody", date(2026, 1, 31))


CORRUPT: dict[str, Any] = {
    "cut short": '{"format": 1, "sou',
    "a list": [],
    "another format": content(format=2),
    "no sources": {"format": 1, "regions": {}},
    "no date": content(sources={"s": {"name": "somebody"}}),
    "no such day": content(sources={"s": {"name": "somebody", "date": "2026-02-30"}}),
    "an unknown source": content(regions={"us-east-1": {"endpoint_hour": [0.01, "t"]}}),
    "an unknown figure": content(regions={"us-east-1": {"endpoint_hours": [0.01, "s"]}}),
    "a price of nothing": content(regions={"us-east-1": {"endpoint_hour": [0, "s"]}}),
    "a negative price": content(regions={"us-east-1": {"endpoint_hour": [-0.01, "s"]}}),
    "a price in words": content(regions={"us-east-1": {"endpoint_hour": ["0.01", "s"]}}),
    "a price without a source": content(regions={"us-east-1": {"endpoint_hour": 0.01}}),
    "no map of sources": content(sources=["s"]),
    "no map of regions": content(regions=["us-east-1"]),
    "no map of figures": content(regions={"us-east-1": ["endpoint_hour"]}),
    "no map of types": content(regions={"us-east-1": {"notebook_hour": [0.05, "s"]}}),
    "a price of everything": json.dumps(content()).replace("0.01", "1e999999"),
    "a price of no size": json.dumps(content()).replace("0.01", "1e999999999999999999999"),
    "nested without end": "[" * 100_000,
    "no text": b"\xff\xfe\x00",
    "no number": '{"format": 1, "sources": {"s": {"name": "", "date": "2026-01-31"}}, '
    '"regions": {"us-east-1": {"endpoint_hour": [NaN, "s"]}}}',
}


@pytest.mark.parametrize("case", CORRUPT)
def test_a_corrupt_table_is_refused_with_the_way_out(case: str, user_table: Path) -> None:
    path = user_table
    path.parent.mkdir()
    bad = CORRUPT[case]
    if isinstance(bad, bytes):
        path.write_bytes(bad)
    else:
        path.write_text(bad if isinstance(bad, str) else json.dumps(bad))
    with pytest.raises(UserError, match=r"prices.json is not a price table .*tools cost --refresh"):
        prices.load()


def test_a_price_is_old_after_a_year() -> None:
    assert not PRICE.is_old(PRICE.on + timedelta(days=365))
    assert PRICE.is_old(PRICE.on + timedelta(days=366))


def test_a_table_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot write"):
        prices.write(Table({}), tmp_path / "file" / "prices.json")
