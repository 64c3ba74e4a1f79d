"""What a month costs, and the mission's claim about sharing."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from tools.cost import comparison
from tools.cost.comparison import compare, saves_nothing_on
from tools.cost.model import Assumptions, NotebookSpec, Quantities, SharedSpec, estimate_month
from tools.cost.prices import PACKAGED, Price, Table, read

# No money but what the case is about.
NOTHING = Assumptions(Decimal(0), Decimal(0), Decimal(0))
ON = date(2026, 11, 22)


def price(usd: str) -> Price:
    return Price(Decimal(usd), "test", ON)


TABLE = Table(
    {
        "us-east-1": {
            "endpoint_gb": price("0.02"),
            "endpoint_hour": price("0.01"),
            "kms_key_month": price("1"),
            "logs_gb": price("0.5"),
            "ml.t3.medium": price("0.05"),
            "storage_gb_month": price("0.023"),
            "volume_gb_month": price("0.14"),
        }
    }
)


def fleet_of(
    count: int, shared: SharedSpec, volume: int = 0, kind: str = "ml.t3.medium"
) -> Quantities:
    specs = [NotebookSpec(f"n{i}", "us-east-1", kind, volume) for i in range(count)]
    return Quantities("us-east-1", specs, shared)


def test_each_line_is_its_quantity_times_its_price() -> None:
    spec = NotebookSpec("n", "us-east-1", "ml.t3.medium", 20, Decimal(160))
    found = estimate_month(
        Quantities("us-east-1", [spec], SharedSpec(3, 2, 1, True)),
        TABLE,
        Assumptions(Decimal(100), Decimal("0.1"), Decimal(5)),
    )
    (notebook,) = found.notebooks
    assert notebook.compute.amount.usd == Decimal("8.00")  # 160 h at $0.05
    assert notebook.volume.amount.usd == Decimal("2.80")  # 20 GB at $0.14
    assert {line.figure: line.amount.usd for line in found.shared} == {
        "endpoint_hour": Decimal("43.80"),  # 3 endpoints, 2 zones, 730 h at $0.01
        "endpoint_gb": Decimal("0.10"),
        "storage_gb_month": Decimal("2.30"),
        "kms_key_month": Decimal("1"),
        "logs_gb": Decimal("0.05"),
    }
    assert found.amount.usd == Decimal("58.05")
    assert found.amount.complete
    assert found.unknown == []


def test_cents_do_not_drift() -> None:
    found = estimate_month(fleet_of(1000, SharedSpec(), volume=7), TABLE, NOTHING)
    assert found.amount.usd == 1000 * (Decimal("36.50") + Decimal("0.98"))


def test_an_unknown_price_is_never_nothing() -> None:
    found = estimate_month(fleet_of(1, SharedSpec(), volume=20, kind="ml.new.huge"), TABLE, NOTHING)
    assert found.unknown == [("ml.new.huge", "us-east-1")]
    assert not found.notebooks[0].compute.amount.complete
    assert found.amount.usd == Decimal("2.80")
    assert not found.amount.complete


def test_an_undeclared_value_is_unknown() -> None:
    spec = NotebookSpec("n", "us-east-1", "", None)
    found = estimate_month(Quantities("us-east-1", [spec], SharedSpec()), TABLE, NOTHING)
    assert found.unknown == [
        ("an undeclared instance_type", "us-east-1"),
        ("an undeclared volume_size", "us-east-1"),
    ]


def test_a_notebook_costs_what_its_own_region_asks() -> None:
    there = Table({"eu-west-1": {"ml.t3.medium": price("0.055")}})
    spec = NotebookSpec("n", "eu-west-1", "ml.t3.medium", 0)
    found = estimate_month(
        Quantities("us-east-1", [spec], SharedSpec()), there.with_fallback(TABLE), NOTHING
    )
    assert found.notebooks[0].compute.amount.usd == Decimal("40.15")


def test_nothing_deployed_and_nothing_declared_costs_nothing() -> None:
    found = estimate_month(fleet_of(0, SharedSpec()), TABLE, Assumptions())
    assert found.amount.usd == 0
    assert found.amount.complete
    assert "this fleet's overhead: there is none" in saves_nothing_on(found)


class TestTheMissionsClaim:
    """MISSION: for three notebooks, $7 a month each for endpoints when separate, $7 for all when
    shared: 67 % saved. It counts one endpoint in one Availability Zone, and overhead alone."""

    table = read(PACKAGED)

    def test_the_claim_with_its_assumptions(self) -> None:
        one_endpoint_in_one_zone = SharedSpec(endpoints=1, zones=1)
        found = compare(
            estimate_month(fleet_of(3, one_endpoint_in_one_zone), self.table, NOTHING), 3
        )
        assert round(found.shared_overhead.usd) == 7
        assert round(found.separate_overhead.usd / 3) == 7
        assert found.saved_of_overhead
        assert round(found.saved_of_overhead) == 67

    def test_the_endpoints_that_the_mission_names_are_three_interfaces(self) -> None:
        three = SharedSpec(endpoints=3, zones=1)  # SageMaker API, Runtime, EC2; S3's is free
        found = compare(estimate_month(fleet_of(3, three), self.table, NOTHING), 3)
        assert found.shared_overhead.usd == Decimal("21.90")
        assert found.separate_overhead.usd == Decimal("65.70")
        in_two_zones = SharedSpec(endpoints=3, zones=2)
        found = compare(estimate_month(fleet_of(3, in_two_zones), self.table, NOTHING), 3)
        assert found.shared_overhead.usd == Decimal("43.80")
        assert found.separate_overhead.usd == Decimal("131.40")

    def test_with_compute_it_is_a_quarter(self) -> None:
        three = SharedSpec(endpoints=3, zones=1)
        found = compare(estimate_month(fleet_of(3, three), self.table, NOTHING), 3)
        assert found.compute.usd == Decimal("109.50")  # three ml.t3.medium, all month
        assert found.saved_of_all == 25

    def test_with_volumes_it_is_less(self) -> None:
        three = SharedSpec(endpoints=3, zones=1)
        found = compare(estimate_month(fleet_of(3, three, volume=20), self.table, NOTHING), 3)
        assert found.saved_of_all
        assert round(found.saved_of_all, 1) == Decimal("23.9")  # 43.80 of 183.60


def test_a_nat_gateway_is_paid_with_its_address_and_by_the_gb() -> None:
    """AWS's prices in us-east-1: $0.045 an hour and a GB, $0.005 an hour for an address."""
    spec, by_use = SharedSpec(nat_gateway=True), Assumptions(nat_gb=Decimal(10))
    nothing = replace(by_use, storage_gb=Decimal(0), logs_gb=Decimal(0))
    found = estimate_month(fleet_of(2, spec), read(PACKAGED), nothing)
    assert found.shared_amount.usd == Decimal("37.40")  # 730 h at $0.05, and 20 GB
    assert estimate_month(fleet_of(2, SharedSpec()), TABLE, nothing).shared_amount.usd == 0


def test_one_notebook_saves_nothing() -> None:
    found = compare(estimate_month(fleet_of(1, SharedSpec(3, 2, 1)), TABLE, Assumptions()), 1)
    assert found.saved.usd == 0
    assert found.saved_of_overhead == 0


def test_what_is_paid_by_use_is_the_same_either_way() -> None:
    by_use = Assumptions(Decimal(500), Decimal(10), Decimal(50))
    found = compare(estimate_month(fleet_of(4, SharedSpec(buckets=True)), TABLE, by_use), 4)
    assert found.shared_overhead.usd == Decimal("31.50")  # 500 GB at $0.023, 40 GB at $0.5
    assert found.saved.usd == 0


def test_duplicated_data_is_saved_for_all_but_one() -> None:
    counted = estimate_month(fleet_of(4, SharedSpec(buckets=True)), TABLE, NOTHING)
    assert compare(counted, 4, Decimal(100)).saved.usd == Decimal("6.90")  # 3 times 100 GB
    assert any("S3 storage" in line for line in saves_nothing_on(counted))
    assert not any("S3 storage" in line for line in saves_nothing_on(counted, Decimal(100)))


def test_other_numbers_of_notebooks_cost_the_fleets_average() -> None:
    specs = [
        NotebookSpec("small", "us-east-1", "ml.t3.medium", 0, Decimal(100)),
        NotebookSpec("large", "us-east-1", "ml.t3.medium", 0, Decimal(300)),
    ]
    counted = estimate_month(Quantities("us-east-1", specs, SharedSpec(1, 1)), TABLE, NOTHING)
    found = compare(counted, 10)
    assert found.compute.usd == Decimal("100.00")  # ten of 200 h at $0.05
    assert found.separate_overhead.usd == Decimal("73.00")
    assert found.shared_overhead.usd == Decimal("7.30")


def test_a_fleet_without_notebooks_compares_overhead_alone() -> None:
    found = compare(estimate_month(fleet_of(0, SharedSpec(3, 1)), TABLE, Assumptions()), 5)
    assert found.compute.usd == 0
    assert found.saved.usd == Decimal("87.60")


def test_an_unknown_price_leaves_no_percentage() -> None:
    found = compare(estimate_month(fleet_of(3, SharedSpec(3, 1)), Table({}), NOTHING), 3)
    assert found.saved_of_overhead is None
    assert found.saved_of_all is None
    assert not found.saved.complete


def test_only_what_is_fixed_is_paid_again_for_each() -> None:
    nat = {"nat_hour", "public_ipv4_hour"}
    assert set(comparison.FIXED) == {"endpoint_hour", "kms_key_month", *nat}
