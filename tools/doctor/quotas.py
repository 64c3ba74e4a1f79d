"""Quotas of the account that a first deployment meets; a new account has small ones, or none.

https://docs.aws.amazon.com/servicequotas/latest/userguide/intro.html
"""

import time
from collections import Counter
from collections.abc import Iterable

from tools.aws.client import Cloud
from tools.doctor.check import Check
from tools.errors import UserError, in_one_line

# SageMaker has some thousand quotas, in pages of 100: what is not found until then is unknown.
_SECONDS = 8
_PER_TYPE = "{} for notebook instance usage"
_ENDPOINTS = ("Interface VPC endpoints per VPC", "Gateway VPC endpoints per Region")


def check_quotas(cloud: Cloud, types: Iterable[str], interfaces: int) -> list[Check]:
    """The quotas of `types`, one for each declared notebook, and of so many interface endpoints."""
    counts = Counter(types)
    wanted = {_PER_TYPE.format(type_): count for type_, count in counts.items()}
    checks = [_check(cloud, "quotas of notebooks", "sagemaker", wanted)] if wanted else []
    endpoints = dict(zip(_ENDPOINTS, (interfaces, 1), strict=True))
    return [*checks, _check(cloud, "quotas of endpoints", "vpc", endpoints)]


def _check(cloud: Cloud, name: str, service: str, wanted: dict[str, int]) -> Check:
    why = "AWS lists no such quota"
    quotas: dict[str, tuple[float, str]] = {}
    try:
        quotas, is_complete = _read(cloud, service, set(wanted))
        why = why if is_complete else f"the listing takes longer than {_SECONDS} s"
    except UserError as error:
        why = in_one_line(str(error))
    small = {q: quotas[q] for q, count in wanted.items() if q in quotas and quotas[q][0] < count}
    unread = sorted(wanted.keys() - quotas.keys())
    if small:
        lines = ", ".join(
            f"{q} is {value:g}, {wanted[q]} wanted" for q, (value, _) in small.items()
        )
        quota, (_, code) = next(iter(small.items()))
        return Check(
            name,
            "warning",
            lines,
            f"aws service-quotas request-service-quota-increase --service-code {service} "
            f"--quota-code {code} --desired-value {wanted[quota]} --region {cloud.region}",
        )
    if unread:
        return Check(name, "unknown", f"{', '.join(unread)}: not read, {why}", "")
    values = ", ".join(f"{quota}: {quotas[quota][0]:g}" for quota in wanted)
    return Check(name, "ok", values)


def _read(cloud: Cloud, service: str, names: set[str]) -> tuple[dict[str, tuple[float, str]], bool]:
    """The quotas with these names: value and code; and whether the listing ended in time."""
    end = time.monotonic() + _SECONDS
    value_and_code: dict[str, tuple[float, str]] = {}
    listing = cloud.items(
        f"list the quotas of {service}",
        "service-quotas",
        "list_service_quotas",
        "Quotas",
        ServiceCode=service,
        PaginationConfig={"PageSize": 100},
    )
    for quota in listing:
        if quota["QuotaName"] in names:
            value_and_code[quota["QuotaName"]] = (quota["Value"], quota["QuotaCode"])
        if value_and_code.keys() == names:
            break
        if time.monotonic() > end:
            return value_and_code, False
    return value_and_code, True
