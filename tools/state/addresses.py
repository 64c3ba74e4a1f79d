"""Addresses of resources: those that the layout has, and those of older layouts in a state."""

import re
from collections.abc import Iterable

from tools.layout.stack import S3

STANDARD_PURPOSES = ("datasets", "models")
# Until December 2026 every shared bucket was one of these (shared-infra/s3/former.tf).
_FORMER_BUCKET = re.compile(r'aws_s3_bucket\.shared\["([^"]+)"\]')


def bucket_address(purpose: str) -> str:
    """Returns the address of the shared bucket for `purpose`, as shared-infra/s3 has it."""
    if purpose in STANDARD_PURPOSES:
        return f"aws_s3_bucket.{purpose}"
    return f'aws_s3_bucket.further["{purpose}"]'


def moved_addresses(stack_name: str, addresses: Iterable[str]) -> dict[str, str]:
    """Returns those of a state's `addresses` that are of an older layout, to those of today."""
    if stack_name != S3:
        return {}
    matches = ((address, _FORMER_BUCKET.fullmatch(address)) for address in addresses)
    return {address: bucket_address(match[1]) for address, match in matches if match}


def names_former(stack_name: str, text: str) -> bool:
    """Whether a text, such as an error of Terraform, names an address of an older layout."""
    return stack_name == S3 and _FORMER_BUCKET.search(text) is not None
