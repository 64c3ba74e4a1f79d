"""The public price files, against a server of files in AWS's format.

What is expected is written into the files beside what must not be taken: other components, terms,
tiers, regions and currencies.
"""

import tracemalloc
from contextlib import suppress
from datetime import date
from decimal import Decimal

import pytest

from tests.unit.cost.price_files import PUBLISHED, Row, document, frankfurt, serving
from tools.aws import price_files
from tools.cost import price_list
from tools.cost.prices import SINGLE
from tools.errors import UserError

TODAY = date(2026, 11, 29)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def fetched(
    monkeypatch: pytest.MonkeyPatch, url: str, region: str = "eu-central-1", with_nat: bool = True
) -> dict[str, Decimal]:
    monkeypatch.setenv(price_files.SERVER_VARIABLE, url)
    table = price_list.fetch_files(region, TODAY, with_nat)
    return {figure: price.usd for figure, price in table.prices[region].items()}


@pytest.mark.parametrize("packed", [False, True])
def test_every_figure_is_read_and_nothing_beside_it(
    monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    with serving(frankfurt(), packed=packed) as server:
        found = fetched(monkeypatch, server.url)
    assert found == {
        "ml.t3.medium": Decimal("0.061"),
        "ml.m5.xlarge": Decimal("0.276"),
        "volume_gb_month": Decimal("0.167"),
        "endpoint_hour": Decimal("0.012"),  # the dearer of two products with one usage type
        "endpoint_gb": Decimal("0.01"),
        "nat_hour": Decimal("0.052"),
        "nat_gb": Decimal("0.052"),
        "public_ipv4_hour": Decimal("0.005"),
        "storage_gb_month": Decimal("0.0245"),
        "logs_gb": Decimal("0.63"),
        "kms_key_month": Decimal("1"),
    }
    assert found.keys() >= SINGLE.keys()


def test_a_price_says_which_file_it_is_from(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(frankfurt()) as server:
        monkeypatch.setenv(price_files.SERVER_VARIABLE, server.url)
        table = price_list.fetch_files("eu-central-1", TODAY, False)
    price = table.get("eu-central-1", "ml.t3.medium")
    assert price
    assert price.source == f"AWS price file AmazonSageMaker, published {PUBLISHED}"
    assert price.on == TODAY


def test_the_file_of_ec2_is_fetched_for_a_nat_gateway_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serving(frankfurt()) as server:
        found = fetched(monkeypatch, server.url, with_nat=False)
    assert "nat_hour" not in found
    assert not [path for path in server.asked if "AmazonEC2" in path]


def test_a_service_without_a_file_leaves_its_figures_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    documents = frankfurt()
    del documents["awskms"]
    with serving(documents) as server:
        found = fetched(monkeypatch, server.url)
    assert "kms_key_month" not in found
    assert "endpoint_hour" in found


@pytest.mark.parametrize(
    "rows", [None, [Row("USE1-Notebk:ml.t3.medium", "0.05", region="us-east-1")]]
)
def test_a_region_without_notebooks_is_told(
    monkeypatch: pytest.MonkeyPatch, rows: list[Row] | None
) -> None:
    documents = {} if rows is None else {"AmazonSageMaker": document("AmazonSageMaker", rows)}
    with serving(documents) as server, pytest.raises(UserError, match="no notebook instances in"):
        fetched(monkeypatch, server.url)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("without_length", [False, True])
def test_a_file_that_is_cut_short_is_refused(
    monkeypatch: pytest.MonkeyPatch, packed: bool, without_length: bool
) -> None:
    with (
        serving(frankfurt(), packed=packed, cut=40, without_length=without_length) as server,
        pytest.raises(UserError, match=r"AmazonSageMaker/current.* is cut short or broken"),
    ):
        fetched(monkeypatch, server.url)


def test_a_file_that_is_cut_at_the_end_of_a_row_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    documents = frankfurt()
    last = documents["AmazonSageMaker"].rindex(b'"SKU7"')
    missing = len(documents["AmazonSageMaker"]) - last
    with (
        serving(documents, cut=missing) as server,
        pytest.raises(UserError, match=f"{missing} bytes are missing"),
    ):
        fetched(monkeypatch, server.url)


BROKEN = {
    "nothing": b"",
    "a page": b"<html><body>Sign in to the network</body></html>",
    "json": b'{"products": {}}',
    "no column of usage": document("AmazonSageMaker", [], ["SKU", "TermType", "PricePerUnit"]),
    "a row too short": document("AmazonSageMaker", []) + b'"SKU1","x"\n',
    "no text": document("AmazonSageMaker", []) + b"\xff\xfe\xff",
    "no price": document("AmazonSageMaker", [Row("EUC1-Notebk:ml.t3.medium", "free")]),
    "no number": document("AmazonSageMaker", [Row("EUC1-Notebk:ml.t3.medium", "NaN")]),
    "endless": document("AmazonSageMaker", [Row("EUC1-Notebk:ml.t3.medium", "Infinity")]),
    "negative": document("AmazonSageMaker", [Row("EUC1-Notebk:ml.t3.medium", "-1")]),
    "no tier": document("AmazonSageMaker", [Row("EUC1-Notebk:ml.t3.medium", "1", tier="x")]),
    "one long row": document("AmazonSageMaker", []) + b"x" * 3_000_000,
    "one long cell": document("AmazonSageMaker", [Row("x" * 200_000, "1")]),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    with serving({"AmazonSageMaker": BROKEN[case]}) as server, pytest.raises(UserError) as raised:
        fetched(monkeypatch, server.url)
    assert "the prices stay as they were" in str(raised.value)
    assert "price file" in str(raised.value)
    assert len(str(raised.value)) < 600
    assert "\n" not in str(raised.value)


def test_a_body_that_is_no_gzip_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gzip.compress", lambda body: body)  # the server's
    with (
        serving(frankfurt(), packed=True) as server,
        pytest.raises(UserError, match="cut short or broken"),
    ):
        fetched(monkeypatch, server.url)


def test_a_server_that_stalls_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(frankfurt(), stalls=True) as server:
        monkeypatch.setenv(price_files.SERVER_VARIABLE, server.url)
        rows = None
        for patience in (0.1, 1, 10, 100):  # it is the connection's too, on a busy machine
            with suppress(UserError):
                rows = price_files.read_prices("AmazonSageMaker", "eu-central-1", patience)
                break
        assert rows is not None
        with pytest.raises(UserError, match=r"cannot fetch the price file .*timed out"):
            list(rows)


def test_no_network_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving({}) as server:
        pass
    with pytest.raises(UserError, match="cannot fetch the price file http:"):
        fetched(monkeypatch, server.url)


def test_a_server_that_is_no_url_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="TOOLS_PRICE_FILES='file:///etc' is not a URL"):
        fetched(monkeypatch, "file:///etc")


def test_a_large_file_is_not_kept_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    unrelated = [Row("EUC1-BoxUsage:m5.large", "1", description="x" * 10_000)] * 1_000
    rows = [*unrelated, Row("EUC1-Notebk:ml.t3.medium", "0.061")]
    documents = {"AmazonSageMaker": document("AmazonSageMaker", rows)}
    with serving(documents) as server:
        fetched(monkeypatch, server.url)  # what is imported counts once
        tracemalloc.start()
        assert fetched(monkeypatch, server.url) == {"ml.t3.medium": Decimal("0.061")}
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert len(documents["AmazonSageMaker"]) > 10_000_000
    assert peak < 2_000_000
