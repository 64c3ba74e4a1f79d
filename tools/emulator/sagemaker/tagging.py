"""Notebook instances in the answers of the Resource Groups Tagging API, as on AWS.

Moto lists no notebook instances (moto-ext 5.1.18.post6, moto/resourcegroupstaggingapi/models.py).
https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
"""

from collections.abc import Iterator
from typing import Any

from .store import Store, Tags, stores

TYPE = "sagemaker:notebook-instance"


def install() -> None:
    """Adds notebook instances to what moto finds; called as LocalStack starts.

    Raises AttributeError if moto has changed.
    """
    from moto.resourcegroupstaggingapi.models import ResourceGroupsTaggingAPIBackend

    backend_class: Any = ResourceGroupsTaggingAPIBackend
    find = backend_class._get_resources_generator

    def find_with_notebooks(
        backend: Any,
        tag_filters: list[dict[str, Any]] | None = None,
        resource_type_filters: list[str] | None = None,
    ) -> Iterator[dict[str, Any]]:
        yield from find(backend, tag_filters, resource_type_filters)
        types = resource_type_filters or []
        if not types or TYPE in types or TYPE.partition(":")[0] in types:
            yield from _found(stores[backend.account_id][backend.region_name], tag_filters or [])

    backend_class._get_resources_generator = find_with_notebooks


def _found(store: Store, filters: list[dict[str, Any]]) -> list[dict[str, Any]]:
    with store.lock:
        store.forget_deleted()
        return [
            {
                "ResourceARN": notebook.arn,
                "Tags": [{"Key": key, "Value": value} for key, value in notebook.tags.items()],
            }
            for notebook in store.notebooks.values()
            if notebook.tags and all(_passes(tag_filter, notebook.tags) for tag_filter in filters)
        ]


def _passes(tag_filter: dict[str, Any], tags: Tags) -> bool:
    key, values = tag_filter["Key"], tag_filter.get("Values", [])
    return key in tags and (not values or tags[key] in values)
