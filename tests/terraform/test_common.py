"""modules/common: right and wrong values. test_layout.py has who calls it, and with what."""

from typing import Any

import pytest

from .harness import Tree

BASE = {"source": "modules/common", "project": "acme-ml", "region": "eu-west-1"}
RIGHT: dict[str, dict[str, Any]] = {
    "shortest": {"project": "ab", "region": "us-gov-west-1"},
    "longest": {"project": "a" * 32, "state_bucket": "acme.states-1"},
    "prefix_deep": {"state_bucket": "acme-states", "state_prefix": "Team_1/ml-infra"},
}
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "project_short": ({"project": "a"}, "must be 2 to 32 lower-case letters"),
    "project_long": ({"project": "a" * 33}, "must be 2 to 32 lower-case letters"),
    "project_upper_case": ({"project": "Acme"}, "must be 2 to 32 lower-case letters"),
    "project_hyphen": ({"project": "acme-"}, "must be 2 to 32 lower-case letters"),
    "project_digit": ({"project": "1acme"}, "must be 2 to 32 lower-case letters"),
    "project_spaced": ({"project": "acme ml"}, "must be 2 to 32 lower-case letters"),
    "project_reserved": ({"project": "sg-acme"}, "must not begin with sg-"),
    "region_zone": ({"region": "eu-west-1a"}, "must be an AWS region's name"),
    "region_typo": ({"region": "us-east"}, "must be an AWS region's name"),
    "region_city": ({"region": "Frankfurt"}, "must be an AWS region's name"),
    "region_empty": ({"region": ""}, "must be an AWS region's name"),
    "bucket_short": ({"state_bucket": "ab"}, "must be null or a bucket's name"),
    "bucket_dash": ({"state_bucket": "-states"}, "must be null or a bucket's name"),
    "bucket_arn": ({"state_bucket": "arn:aws:s3:::b"}, "must be null or a bucket's name"),
    "bucket_upper_case": ({"state_bucket": "Acme"}, "must be null or a bucket's name"),
    "prefix_slash": ({"state_prefix": "/ml"}, "with single slashes between"),
}


@pytest.fixture(scope="module")
def refusals(planning: Tree) -> dict[str, list[str]]:
    calls = {name: {**BASE, **values} for name, values in RIGHT.items()}
    calls |= {name: {**BASE, **values} for name, (values, _) in WRONG.items()}
    return planning.refusals(planning.write_calls("common", calls))


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_is_refused_with_its_rule(refusals: dict[str, list[str]], name: str) -> None:
    (detail,) = refusals[name]
    assert WRONG[name][1] in " ".join(detail.split())


def test_no_right_value_is_refused(refusals: dict[str, list[str]]) -> None:
    assert refusals.keys() == WRONG.keys()
