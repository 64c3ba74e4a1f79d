from datetime import date
from decimal import Decimal

import pytest

from tests.unit.cost.price_list import ireland, serving
from tools.aws.client import Cloud
from tools.cost import price_list
from tools.cost.prices import SINGLE, Table
from tools.errors import UserError

TODAY = date(2026, 11, 23)


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")


def fetched(endpoint: str, region: str = "eu-west-1") -> Table:
    return price_list.fetch_by_api(Cloud("us-east-1", endpoint), region, TODAY)


def test_every_figure_is_found_by_its_usage_type_over_all_pages() -> None:
    with serving(ireland()) as endpoint:
        table = fetched(endpoint)
    assert {figure: price.usd for figure, price in table.prices["eu-west-1"].items()} == {
        "ml.t3.medium": Decimal("0.055"),
        "ml.m5.xlarge": Decimal("0.257"),
        "volume_gb_month": Decimal("0.154"),
        "endpoint_hour": Decimal("0.011"),
        "endpoint_gb": Decimal("0.01"),
        "nat_hour": Decimal("0.048"),
        "nat_gb": Decimal("0.048"),
        "public_ipv4_hour": Decimal("0.005"),
        "storage_gb_month": Decimal("0.023"),
        "logs_gb": Decimal("0.57"),
        "kms_key_month": Decimal("1"),
    }
    assert table.prices["eu-west-1"].keys() >= SINGLE.keys()


def test_a_price_says_what_it_was_read_from_and_when() -> None:
    with serving(ireland()) as endpoint:
        price = fetched(endpoint).get("eu-west-1", "ml.t3.medium")
    assert price
    assert price.source == "AWS Price List API, AmazonSageMaker, published 2026-11-20"
    assert price.on == TODAY


def test_what_costs_nothing_on_the_list_is_unknown_and_not_free() -> None:
    with serving(ireland()) as endpoint:
        assert fetched(endpoint).get("eu-west-1", "ml.free") is None


def test_a_region_without_notebooks_is_told() -> None:
    with serving(ireland()) as endpoint, pytest.raises(UserError, match="no notebook instances in"):
        fetched(endpoint, "sa-east-1")


@pytest.mark.parametrize("garbage", ["<html>", "[]", '{"product": {}}', '{"product": null}'])
def test_an_answer_that_is_no_product_is_refused(garbage: str) -> None:
    with (
        serving([garbage, *ireland()]) as endpoint,
        pytest.raises(UserError, match="is not a product"),
    ):
        fetched(endpoint)


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        ((400, "AccessDeniedException"), "cannot ask for prices"),
        ((400, "ExpiredTokenException"), "session has expired"),
        ((400, "ThrottlingException"), "throttled"),
    ],
)
def test_a_refusal_is_told(refusal: tuple[int, str], words: str) -> None:
    with serving([], refusal) as endpoint, pytest.raises(UserError, match=words):
        fetched(endpoint)


def test_no_network_is_told() -> None:
    with serving([]) as endpoint:
        pass
    with pytest.raises(UserError, match="cannot ask for prices"):
        fetched(endpoint)
