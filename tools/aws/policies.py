"""Policy documents as AWS returns them."""

from typing import Any


def listed(value: Any) -> list[Any]:
    """What a policy document has as a list, or, of one, as it is."""
    return list(value) if isinstance(value, list) else [value]
