"""Quotas, by a stand-in for AWS: the emulator has none.

Their names are AWS's: https://docs.aws.amazon.com/general/latest/gr/vpc-service.html#vpc-quotas
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tools.aws.client import Cloud
from tools.doctor.quotas import check_quotas
from tools.errors import UserError

T3 = "ml.t3.medium for notebook instance usage"
VPC = {"Interface VPC endpoints per VPC": 50.0, "Gateway VPC endpoints per Region": 20.0}


@dataclass(frozen=True)
class Account(Cloud):
    """A region whose quotas are `quotas`, by service; a service without any refuses to say."""

    quotas: dict[str, dict[str, float]] = field(default_factory=dict)

    def items(
        self, what: str, service: str, operation: str, key: str, **arguments: Any
    ) -> Iterator[Any]:
        if arguments["ServiceCode"] not in self.quotas:
            raise UserError(f"cannot {what}: AccessDenied")
        for name, value in self.quotas[arguments["ServiceCode"]].items():
            yield {"QuotaName": name, "Value": value, "QuotaCode": f"L-{len(name)}"}


def statuses(quotas: dict[str, dict[str, float]], *types: str) -> list[str]:
    return [check.status for check in check_quotas(Account("r", quotas=quotas), types, 3)]


def test_enough() -> None:
    assert statuses({"sagemaker": {T3: 2}, "vpc": VPC}, "ml.t3.medium", "ml.t3.medium") == [
        "ok",
        "ok",
    ]


def test_too_few_says_how_to_ask_for_more() -> None:
    account = Account("eu-west-1", quotas={"sagemaker": {T3: 0.0}, "vpc": VPC})
    notebooks, _ = check_quotas(account, ["ml.t3.medium"], 3)
    assert notebooks.status == "warning"
    assert notebooks.detail == f"{T3} is 0, 1 wanted"
    assert f"--quota-code L-{len(T3)} --desired-value 1 --region eu-west-1" in notebooks.mend


def test_what_cannot_be_read_is_named() -> None:
    notebooks, endpoints = check_quotas(Account("r", quotas={"vpc": VPC}), ["ml.t3.medium"], 3)
    assert (notebooks.status, endpoints.status) == ("unknown", "ok")
    assert T3 in notebooks.detail
    assert "AccessDenied" in notebooks.detail


def test_a_quota_that_aws_does_not_list() -> None:
    assert statuses({"sagemaker": {}, "vpc": {}}, "ml.t3.medium") == ["unknown", "unknown"]


def test_no_notebooks_no_question() -> None:
    assert statuses({"vpc": VPC}) == ["ok"]
