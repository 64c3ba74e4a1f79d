"""List operations: filter, sort, cut into pages."""

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from .errors import ValidationError
from .store import StoredResource

DEFAULT_PAGE = 10

T = TypeVar("T", bound=StoredResource)


def page(
    operation: str,
    request: dict[str, Any],
    resources: Iterable[T],
    keys: Mapping[str, Callable[[T], str]],
    default_key: str,
) -> tuple[list[T], dict[str, str]]:
    """One page of the resources that pass the request's name and time filters, sorted.

    `keys` has a sort key for each value of SortBy. The second value is `{"NextToken": ...}`
    where more follow. A token says after which resource its page begins, so that pages neither
    skip nor repeat one while others come and go. Raises ValidationError for a token that is not
    of the same operation and order.
    """
    sort_by = request.get("SortBy", default_key)
    descending = request.get("SortOrder") == "Descending"
    order = [operation, sort_by, descending]

    def position(resource: T) -> list[str]:
        return [keys[sort_by](resource), resource.name]

    passing = (resource for resource in resources if _passes(request, resource))
    listed = sorted(passing, key=position, reverse=descending)
    if "NextToken" in request:
        after = _read_token(request["NextToken"], order)
        listed = [
            resource
            for resource in listed
            if (position(resource) < after if descending else position(resource) > after)
        ]
    size = request.get("MaxResults", DEFAULT_PAGE)
    if len(listed) <= size:
        return listed, {}
    return listed[:size], {"NextToken": _token(order, position(listed[size - 1]))}


def by_name(resource: StoredResource) -> str:
    return resource.name


def by_creation(resource: StoredResource) -> str:
    return resource.created.isoformat(timespec="milliseconds")


def _by_modification(resource: StoredResource) -> str:
    return resource.modified.isoformat(timespec="milliseconds")


SORT_KEYS = {"Name": by_name, "CreationTime": by_creation, "LastModifiedTime": _by_modification}
"""The sort key for each value of SortBy, for resources without a status."""


def refuse_any_token(request: dict[str, Any]) -> None:
    """Raises ValidationError for a token: for an operation whose answers always fit one page."""
    if "NextToken" in request:
        raise _bad_token()


def _passes(request: dict[str, Any], resource: StoredResource) -> bool:
    return (
        request.get("NameContains", "") in resource.name
        and _within(request, "CreationTime", resource.created)
        and _within(request, "LastModifiedTime", resource.modified)
    )


def _within(request: dict[str, Any], name: str, moment: datetime) -> bool:
    after, before = request.get(f"{name}After"), request.get(f"{name}Before")
    return (after is None or after < moment) and (before is None or moment < before)


def _token(order: list[Any], last: list[str]) -> str:
    return base64.urlsafe_b64encode(json.dumps([order, last]).encode()).decode()


def _read_token(token: str, order: list[Any]) -> list[str]:
    try:
        token_order, (key, name) = json.loads(
            base64.b64decode(token, altchars=b"-_", validate=True)
        )
    except (ValueError, TypeError, RecursionError):
        raise _bad_token() from None
    if token_order != order or not isinstance(key, str) or not isinstance(name, str):
        raise _bad_token()
    return [key, name]


def _bad_token() -> ValidationError:
    return ValidationError("Invalid NextToken: it is not of an earlier answer to this request")
