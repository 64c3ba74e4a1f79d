"""Lifecycle configurations: scripts that run as an instance is created or started.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateNotebookInstanceLifecycleConfig.html
"""

import base64
import binascii
from typing import Any

from localstack.aws.api import RequestContext

from .errors import ValidationError
from .listing import SORT_KEYS, page
from .store import Store, StoredResource, arn, now, store_of
from .tags import merged

_EVENTS = ("OnCreate", "OnStart")


def create(context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
    name = request["NotebookInstanceLifecycleConfigName"]
    config = StoredResource(
        name, _arn(context, name), _scripts(request), merged({}, request.get("Tags", []))
    )
    store = store_of(context)
    with store.lock:
        if name in store.lifecycle_configs:
            raise _refused("create", config.arn, "already exists")
        store.lifecycle_configs[name] = config
    return {"NotebookInstanceLifecycleConfigArn": config.arn}


def describe(context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
    store = store_of(context)
    with store.lock:
        config = _find(context, store, request, "describe")
        return {**_summary(config), **config.settings}


def list_all(context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
    store = store_of(context)
    with store.lock:
        configs, token = page(
            "ListNotebookInstanceLifecycleConfigs",
            request,
            store.lifecycle_configs.values(),
            SORT_KEYS,
            default_key="CreationTime",
        )
        return {
            "NotebookInstanceLifecycleConfigs": [_summary(config) for config in configs],
            **token,
        }


def update(context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
    scripts = _scripts(request)
    store = store_of(context)
    with store.lock:
        config = _find(context, store, request, "update")
        config.settings.update(scripts)
        config.modified = now()
    return {}


def delete(context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
    store = store_of(context)
    with store.lock:
        config = _find(context, store, request, "delete")
        store.forget_deleted()
        users = sorted(
            notebook.name
            for notebook in store.notebooks.values()
            if notebook.settings.get("LifecycleConfigName") == config.name
        )
        if users:
            raise _refused("delete", config.arn, f"is in use by {', '.join(users)}")
        del store.lifecycle_configs[config.name]
    return {}


def require(context: RequestContext, store: Store, name: str) -> None:
    """Raises ValidationError where there is no such lifecycle configuration."""
    if name not in store.lifecycle_configs:
        raise _refused("find", _arn(context, name), "does not exist")


def _find(
    context: RequestContext, store: Store, request: dict[str, Any], verb: str
) -> StoredResource:
    name = request["NotebookInstanceLifecycleConfigName"]
    if name not in store.lifecycle_configs:
        raise _refused(verb, _arn(context, name), "does not exist")
    return store.lifecycle_configs[name]


def _scripts(request: dict[str, Any]) -> dict[str, Any]:
    """Returns the scripts of a request by their event.

    Raises ValidationError for one that is not base64.
    """
    scripts = {event: request[event] for event in _EVENTS if event in request}
    for event, hooks in scripts.items():
        for hook in hooks:
            try:
                base64.b64decode(hook.get("Content", ""), validate=True)
            except (binascii.Error, ValueError):
                raise ValidationError(f"{event}: Content must be base64 encoded") from None
    return scripts


def _summary(config: StoredResource) -> dict[str, Any]:
    return {
        "NotebookInstanceLifecycleConfigName": config.name,
        "NotebookInstanceLifecycleConfigArn": config.arn,
        **config.times(),
    }


def _arn(context: RequestContext, name: str) -> str:
    return arn(context, "notebook-instance-lifecycle-config", name)


def _refused(verb: str, config_arn: str, why: str) -> ValidationError:
    return ValidationError(
        f"Unable to {verb} Notebook Instance Lifecycle Config '{config_arn}'. "
        f"(Details: Notebook Instance Lifecycle Config {why}.)"
    )
