"""Tags of notebook instances, lifecycle configurations and code repositories.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AddTags.html
"""

from typing import Any

from localstack.aws.api import RequestContext

from .errors import ValidationError
from .listing import refuse_any_token
from .store import Store, StoredResource, Tags, store_of

LIMIT = 50  # a resource's; https://docs.aws.amazon.com/tag-editor/latest/userguide/reference.html


def add_tags(context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
    store = store_of(context)
    with store.lock:
        resource = _find(store, request["ResourceArn"])
        resource.tags = merged(resource.tags, request["Tags"])
        return {"Tags": _shown(resource.tags)}


def list_tags(context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
    store = store_of(context)
    refuse_any_token(request)
    with store.lock:
        return {"Tags": _shown(_find(store, request["ResourceArn"]).tags)}


def delete_tags(context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
    store = store_of(context)
    with store.lock:
        tags = _find(store, request["ResourceArn"]).tags
        for key in request["TagKeys"]:
            tags.pop(key, None)
    return {}


def merged(tags: Tags, added: list[dict[str, str]]) -> Tags:
    """`tags` with those of a request, which win.

    Raises ValidationError for a key given twice or reserved, and above the limit.
    """
    new_tags = {tag["Key"]: tag["Value"] for tag in added}
    if len(new_tags) < len(added):
        raise ValidationError("Duplicate tag keys found. Tag keys must be unique per resource")
    reserved = sorted(key for key in new_tags if key.lower().startswith("aws:"))
    if reserved:
        raise ValidationError(f"Tag keys must not begin with aws: ({', '.join(reserved)})")
    result = {**tags, **new_tags}
    if len(result) > LIMIT:
        raise ValidationError(f"A resource can have at most {LIMIT} tags, not {len(result)}")
    return result


def _shown(tags: Tags) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _find(store: Store, arn: str) -> StoredResource:
    store.forget_deleted()
    for family in (store.notebooks, store.lifecycle_configs, store.code_repositories):
        for resource in family.values():
            if resource.arn == arn:
                return resource
    raise ValidationError(f"RecordNotFound: there is no resource {arn}")
