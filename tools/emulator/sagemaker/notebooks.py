"""Notebook instances.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateNotebookInstance.html
"""

import secrets
import string
from typing import Any

from localstack.aws.api import RequestContext

from . import account, code_repositories, failures, lifecycle_configs
from .errors import ValidationError
from .listing import by_creation, by_name, page
from .store import NotebookInstance, Store, arn, store_of
from .tags import merged

# AWS's own, as the request's documentation in botocore's model states them; the platform has
# been the newest one since the older could no longer be created.
DEFAULTS = {
    "DirectInternetAccess": "Enabled",
    "InstanceMetadataServiceConfiguration": {"MinimumInstanceMetadataServiceVersion": "1"},
    "IpAddressType": "ipv4",
    "PlatformIdentifier": "notebook-al2023-v1",
    "RootAccess": "Enabled",
    "VolumeSizeInGB": 5,
}

# Members of an update that take a setting away, and the setting.
_DISASSOCIATIONS = {
    "DisassociateAcceleratorTypes": "AcceleratorTypes",
    "DisassociateAdditionalCodeRepositories": "AdditionalCodeRepositories",
    "DisassociateDefaultCodeRepository": "DefaultCodeRepository",
    "DisassociateLifecycleConfig": "LifecycleConfigName",
}


def create(context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
    name = request["NotebookInstanceName"]
    tags = merged({}, request.get("Tags", []))
    settings = {**DEFAULTS, **request}
    for member in ("NotebookInstanceName", "Tags"):
        settings.pop(member, None)
    store = store_of(context)
    _require_consistent_network(settings)
    failures.refuse(tags, settings)
    with store.lock:
        _require_new(context, store, name)
        _require_references(context, store, settings)
    account.require_role(context, settings["RoleArn"])
    interface = _attach(context, name, settings)
    try:
        with store.lock:
            _require_new(context, store, name)
            _require_references(context, store, settings)
            notebook = NotebookInstance(
                name,
                _arn(context, name),
                settings,
                tags,
                url=_url(context, name),
                network_interface=interface,
            )
            _begin_start(notebook)
            store.notebooks[name] = notebook
    except ValidationError:
        if interface:
            account.delete_network_interface(context, interface)
        raise
    return {"NotebookInstanceArn": notebook.arn}


def describe(context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
    store = store_of(context)
    with store.lock:
        notebook = _find(store, request)
        settings = dict(notebook.settings)
        groups = settings.pop("SecurityGroupIds", [])
        settings.pop("LifecycleConfigName", None)
        return {
            **settings,
            **_summary(notebook),
            "SecurityGroups": groups,
            "NetworkInterfaceId": notebook.network_interface,
            "FailureReason": notebook.failure if notebook.status == "Failed" else None,
        }


def list_all(context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
    store = store_of(context)
    with store.lock:
        store.forget_deleted()
        notebooks, token = page(
            "ListNotebookInstances",
            request,
            [notebook for notebook in store.notebooks.values() if _passes(request, notebook)],
            {
                "Name": by_name,
                "CreationTime": by_creation,
                "Status": lambda notebook: notebook.status,
            },
            default_key="Name",
        )
        return {"NotebookInstances": [_summary(notebook) for notebook in notebooks], **token}


def update(context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
    changes = {key: value for key, value in request.items() if key != "NotebookInstanceName"}
    removed = _removed(changes)
    if "RoleArn" in changes:
        account.require_role(context, changes["RoleArn"])
    store = store_of(context)
    with store.lock:
        notebook = _find(store, request)
        _require_status(notebook, ("Stopped", "Failed"), "Updating")
        _require_references(context, store, changes)
        size = notebook.settings["VolumeSizeInGB"]
        if changes.get("VolumeSizeInGB", size) < size:
            raise ValidationError(
                f"Volume size cannot be decreased: {notebook.arn} has {size} GB, "
                f"the request says {changes['VolumeSizeInGB']} GB"
            )
        kept = {key: value for key, value in notebook.settings.items() if key not in removed}
        notebook.settings = {**kept, **changes}
        notebook.move("Updating", then="Stopped")
    return {}


def start(context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
    store = store_of(context)
    with store.lock:
        notebook = _find(store, request)
        _require_status(notebook, ("Stopped", "Failed"), "Pending")
        failures.refuse(notebook.tags, notebook.settings)
        _begin_start(notebook)
    return {}


def stop(context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
    _move(context, request, ("InService",), "Stopping", then="Stopped")
    return {}


def delete(context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
    notebook = _move(context, request, ("Stopped", "Failed"), "Deleting", then="Deleted")
    if notebook.network_interface:
        account.delete_network_interface(context, notebook.network_interface)
    return {}


def presigned_url(context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
    store = store_of(context)
    with store.lock:
        notebook = _find(store, request)
        if notebook.status != "InService":
            raise ValidationError(
                f"Status ({notebook.status}) not in ([InService]). Unable to create a presigned "
                f"URL for Notebook Instance ({notebook.arn})."
            )
        return {"AuthorizedUrl": f"https://{notebook.url}?authToken={secrets.token_urlsafe(48)}"}


def _begin_start(notebook: NotebookInstance) -> None:
    failure = failures.reason(notebook.tags, notebook.settings, notebook.arn)
    notebook.move("Pending", "Failed" if failure else "InService", failure)


def _move(
    context: RequestContext, request: dict[str, Any], allowed: tuple[str, ...], to: str, then: str
) -> NotebookInstance:
    store = store_of(context)
    with store.lock:
        notebook = _find(store, request)
        _require_status(notebook, allowed, to)
        notebook.move(to, then)
        return notebook


def _find(store: Store, request: dict[str, Any]) -> NotebookInstance:
    store.forget_deleted()
    try:
        return store.notebooks[request["NotebookInstanceName"]]
    except KeyError:
        raise ValidationError("RecordNotFound") from None


def _require_new(context: RequestContext, store: Store, name: str) -> None:
    store.forget_deleted()
    wanted = _arn(context, name)
    if any(notebook.arn == wanted for notebook in store.notebooks.values()):
        raise ValidationError(f"Cannot create a duplicate Notebook Instance ({wanted})")


def _require_status(notebook: NotebookInstance, allowed: tuple[str, ...], to: str) -> None:
    if notebook.status not in allowed:
        raise ValidationError(
            f"Status ({notebook.status}) not in ([{', '.join(allowed)}]). Unable to transition to "
            f"({to}) for Notebook Instance ({notebook.arn})."
        )


def _require_references(context: RequestContext, store: Store, settings: dict[str, Any]) -> None:
    if "LifecycleConfigName" in settings:
        lifecycle_configs.require(context, store, settings["LifecycleConfigName"])
    default = settings.get("DefaultCodeRepository")
    for repository in [default] if default else []:
        code_repositories.require(context, store, repository)
    for repository in settings.get("AdditionalCodeRepositories", []):
        code_repositories.require(context, store, repository)


def _require_consistent_network(settings: dict[str, Any]) -> None:
    if "SubnetId" in settings:
        return
    if settings["DirectInternetAccess"] == "Disabled":
        raise ValidationError("DirectInternetAccess can be Disabled only where SubnetId is given")
    if settings.get("SecurityGroupIds"):
        raise ValidationError("SecurityGroupIds can be given only where SubnetId is given")


def _attach(context: RequestContext, name: str, settings: dict[str, Any]) -> str | None:
    if "SubnetId" not in settings:
        return None
    interface, settings["SecurityGroupIds"] = account.create_network_interface(
        context, name, settings["SubnetId"], settings.get("SecurityGroupIds", [])
    )
    return interface


def _removed(changes: dict[str, Any]) -> set[str]:
    """Takes the Disassociate members out of `changes`; the settings that they name."""
    asked = {member for member in _DISASSOCIATIONS if changes.pop(member, False)}
    removed = {_DISASSOCIATIONS[member] for member in asked}
    both = sorted(removed & changes.keys())
    if both:
        raise ValidationError(f"{', '.join(both)}: cannot be set and disassociated at once")
    return removed


def _passes(request: dict[str, Any], notebook: NotebookInstance) -> bool:
    settings = notebook.settings
    status = request.get("StatusEquals", notebook.status)
    config = request.get("NotebookInstanceLifecycleConfigNameContains", "")
    default = request.get("DefaultCodeRepositoryContains", "")
    additional = request.get("AdditionalCodeRepositoryEquals")
    return (
        status == notebook.status
        and config in settings.get("LifecycleConfigName", "")
        and default in settings.get("DefaultCodeRepository", "")
        and additional in (None, *settings.get("AdditionalCodeRepositories", []))
    )


def _summary(notebook: NotebookInstance) -> dict[str, Any]:
    settings = notebook.settings
    shown = ("InstanceType", "DefaultCodeRepository", "AdditionalCodeRepositories")
    return {
        "NotebookInstanceName": notebook.name,
        "NotebookInstanceArn": notebook.arn,
        "NotebookInstanceStatus": notebook.status,
        "NotebookInstanceLifecycleConfigName": settings.get("LifecycleConfigName"),
        "Url": notebook.url,
        **{member: settings[member] for member in shown if member in settings},
        **notebook.times(),
    }


def _url(context: RequestContext, name: str) -> str:
    suffix = "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(4))
    return f"{name.lower()}-{suffix}.notebook.{context.region}.sagemaker.aws"


def _arn(context: RequestContext, name: str) -> str:
    """In lower case, as AWS has it; so names that differ by case alone are one."""
    return arn(context, "notebook-instance", name.lower())
