"""Policy documents as AWS returns them."""

from typing import Any


def as_list(value: Any) -> list[Any]:
    """The values of an element of a policy, which holds a list or, of one, the value itself.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
    """
    return list(value) if isinstance(value, list) else [value]
