"""A notebook instance to import into a directory of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tools.aws import model
from tools.aws.sagemaker import NOTEBOOK_TYPE
from tools.errors import UserError
from tools.fleet import platforms
from tools.hcl import writing
from tools.hcl.reading import VALUES, Value
from tools.imports import lifecycle, security_groups
from tools.imports.destination import Destination, parse_tags
from tools.imports.request import ImportRequest, ResourceImport
from tools.layout.stack import ENDPOINTS, GROUPS, IAM, S3
from tools.scaffold import render
from tools.scaffold.notebook import check_name, make
from tools.system.user import login_name

_INSTANCE = f"module.notebook.{NOTEBOOK_TYPE}.this"
_LIFECYCLE = "module.notebook.aws_sagemaker_notebook_instance_lifecycle_configuration.this[0]"
_REFUSED = ("Failed", "Deleting")
# Values that tags give, in any case, unless an option does.
_FROM_TAGS = ("owner", "purpose", "environment")
# The provider sets these, or the other stacks would take them for their own.
_DROPPED_TAGS = frozenset({"project", "managedby", "stack", "notebook", *_FROM_TAGS})
# GB, of an instance that was made without a size:
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateNotebookInstance.html
_DEFAULT_VOLUME = 5


@dataclass(frozen=True)
class Shared:
    """What notebooks get from the shared stacks; None is not known, or does not exist."""

    role_arn: str | None = None
    subnet_id: str | None = None
    security_group_id: str | None = None

    @classmethod
    def deployed(cls, destination: Destination) -> "Shared":
        """The outputs of the shared stacks. Raises UserError if one is not deployed."""
        destination.require(S3, IAM, GROUPS, ENDPOINTS)
        return cls.so_far(destination)

    @classmethod
    def so_far(cls, destination: Destination) -> "Shared":
        """The outputs that the shared stacks have, also if some are not deployed."""
        subnets = destination.outputs(ENDPOINTS).get("subnet_ids") or [None]
        return cls(
            destination.outputs(IAM).get("role_arn"),
            subnets[0],
            security_groups.deployed(destination, "notebooks"),
        )


def request_notebook(
    destination: Destination,
    name: str,
    shared: Shared,
    directory: str | None = None,
    options: Mapping[str, Value] | None = None,
) -> ImportRequest:
    """Requests the instance called `name`, to be managed by notebooks/`directory`.

    Without `directory` it is the one that exists for this instance, or one with its name. Values
    are what AWS has, if the shared stacks would give another; owner, purpose and environment come
    from `options`, otherwise from its tags. An existing directory for this instance stays as it is.
    Raises UserError if the instance does not exist or cannot be imported, or if the directory is
    for another one, or would replace this one.
    """
    directory = directory or directory_of(destination, name) or name
    check_name(directory)
    instance = fetch(destination, name)
    check(destination, name, instance)
    tags = parse_tags(
        destination.ask_pages(
            f"look for notebook {name}",
            "sagemaker",
            "list_tags",
            "Tags",
            ResourceArn=instance["NotebookInstanceArn"],
        )
    )
    scripts = lifecycle.read_scripts(destination, instance)
    imports = [ResourceImport.at(f"notebooks/{directory}", _INSTANCE, name)]
    # The module names the configuration after the instance. One of another name stays, unmanaged.
    if scripts and instance.get("NotebookInstanceLifecycleConfigName") == name:
        imports.append(ResourceImport.at(f"notebooks/{directory}", _LIFECYCLE, name))
    if _exists(destination, directory, name):
        _refuse_replacement(destination, directory, instance, shared)
        note = f"notebooks/{directory} exists already, and stays as it is"
        return ImportRequest(tuple(imports), notes=(*_platform_notes(destination, instance), note))
    values = _values(instance, shared, directory, tags) | dict(options or {})
    if values["owner"] is None:
        values["owner"] = login_name(name)
    values |= {script.variable: script.file for script in scripts}
    files = {script.file: script.content for script in scripts}
    notebook = make(directory, values, render.variables(destination.templates), files)
    notes = _platform_notes(destination, instance)
    notes += _notes(instance, tags, values, bool(scripts))
    notes += _group_notes(destination, instance, shared)
    return ImportRequest(tuple(imports), {}, (notebook,), tuple(notes))


def fetch(destination: Destination, name: str) -> Any:
    """Returns the instance as SageMaker describes it, None if there is none."""
    return destination.ask(
        f"describe notebook {name}",
        "sagemaker",
        "describe_notebook_instance",
        NotebookInstanceName=name,
    )


def check(destination: Destination, name: str, instance: Any) -> None:
    """Raises UserError if the instance, as SageMaker describes it, cannot be imported."""
    if not instance:
        raise UserError(
            f"there is no notebook {name} in {destination.cloud}; to list what can be imported: "
            f"tools import{destination.option} --scan"
        )
    status = instance["NotebookInstanceStatus"]
    if status in _REFUSED:
        reason = instance.get("FailureReason") or "AWS gives no reason"
        start = (
            f"; it keeps its volume, so start it first: aws sagemaker start-notebook-instance "
            f"--notebook-instance-name {name} --region {destination.cloud.region}"
            if status == "Failed"
            else ""
        )
        raise UserError(
            f"notebook {name} is {status}: Terraform cannot manage it ({reason}){start}"
        )
    if not instance.get("SubnetId"):
        raise UserError(
            f"notebook {name} is in no VPC, but notebooks here are: Terraform would replace it and "
            "its volume would be lost; copy its files to a bucket, then make a new one: "
            "tools new-notebook"
        )


def _group_notes(destination: Destination, instance: Any, shared: Shared) -> list[str]:
    """A note if the endpoints admit the notebooks' group alone, and the instance lacks it."""
    groups = instance.get("SecurityGroups", [])
    is_open = not destination.declared(GROUPS).get("endpoints_for_notebooks_only")
    if is_open or shared.security_group_id in groups:
        return []
    return [
        f"notebook {instance['NotebookInstanceName']}: the endpoints do not admit its groups "
        f"({', '.join(groups)}): {GROUPS} has endpoints_for_notebooks_only = true"
    ]


def directory_of(destination: Destination, name: str) -> str | None:
    """Returns the directory for an instance, None if there is none."""
    instances = destination.records.repository.instance_names()
    return next(
        (directory for directory, instance_name in instances.items() if instance_name == name), None
    )


def _exists(destination: Destination, directory: str, name: str) -> bool:
    """Whether the directory exists for this instance. Raises UserError if it is for another."""
    instance_name = destination.records.repository.instance_names().get(directory)
    if instance_name is None:
        if other := directory_of(destination, name):
            raise UserError(f"notebooks/{other} is already for notebook {name}; use that directory")
        return False
    if instance_name != name:
        raise UserError(
            f"notebooks/{directory} exists already, for notebook {instance_name}; choose another "
            "with --directory"
        )
    return True


def _refuse_replacement(
    destination: Destination, directory: str, instance: Any, shared: Shared
) -> None:
    """Raises UserError if what the directory says would replace the instance, volume and all.

    Once the directory's state has an instance, its plan says that. So it does of values that are
    not known here, such as what a key's alias stands for.
    """
    stack = destination.stack(f"notebooks/{directory}")
    state = destination.records.state(stack) if destination.records.place(stack) else None
    if state and NOTEBOOK_TYPE in state.types:
        return
    declared = destination.declared(stack.name)
    groups = declared.get("security_group_ids") or list(filter(None, [shared.security_group_id]))
    volume, size = declared.get("volume_size"), instance.get("VolumeSizeInGB", _DEFAULT_VOLUME)
    gets: dict[str, Value] = {
        "subnet_id": declared.get("subnet_id") or shared.subnet_id,
        "security_group_ids": sorted(map(str, groups)) if isinstance(groups, list) else None,
        "direct_internet_access": declared.get("direct_internet_access"),
        # A larger one grows in place.
        "volume_size": volume if isinstance(volume, int | float) and volume < size else None,
    }
    has: dict[str, Value] = {
        "subnet_id": instance["SubnetId"],
        "security_group_ids": sorted(instance.get("SecurityGroups", [])),
        "direct_internet_access": instance.get("DirectInternetAccess") != "Disabled",
        "volume_size": size,
    }
    wrong = [
        f"{key} is {writing.dumps(gets[key])}, and it has {writing.dumps(value)}"
        for key, value in has.items()
        if key in declared and gets[key] not in (None, [], value)
    ]
    if "kms_key_id" in declared and not declared.get("use_shared_kms_key"):
        says, key = bool(declared["kms_key_id"]), instance.get("KmsKeyId")
        if says != bool(key):
            wrong.append(f"kms_key_id {'is set' if says else 'is not'}, and it has {key or 'none'}")
    if wrong:
        raise UserError(
            f"notebooks/{directory} exists already, and would replace notebook "
            f"{instance['NotebookInstanceName']}, whose volume would be lost: {'; '.join(wrong)}; "
            f"correct that in its {VALUES} first"
        )


def _values(
    instance: Any, shared: Shared, directory: str, tags: Mapping[str, str]
) -> dict[str, Value]:
    """The values of its directory: those that every notebook says, and those that differ here."""
    name = instance["NotebookInstanceName"]
    by_key = {key.lower(): text for key, text in tags.items()}
    metadata = instance.get("InstanceMetadataServiceConfiguration", {})
    further_tags: dict[str, Value] = {
        key: text for key, text in tags.items() if key.lower() not in _DROPPED_TAGS
    }
    values: dict[str, Value] = {
        "instance_type": instance["InstanceType"],
        "volume_size": instance.get("VolumeSizeInGB", _DEFAULT_VOLUME),
        "owner": by_key.get("owner") or None,
        "purpose": by_key.get("purpose") or name,
        "environment": by_key.get("environment") or "dev",
        "idle_stop_minutes": 0,
    }
    # Variable to what the instance has, and what a notebook has that does not say it. A field that
    # is missing has the service's default: internet and root access, version 1 of the metadata.
    # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeNotebookInstance.html
    settings: dict[str, tuple[Value, Value]] = {
        "name": (name, directory),
        "role_arn": (instance["RoleArn"], shared.role_arn),
        "subnet_id": (instance["SubnetId"], shared.subnet_id),
        "security_group_ids": (instance.get("SecurityGroups", []), [shared.security_group_id]),
        "kms_key_id": (instance.get("KmsKeyId"), None),
        "direct_internet_access": (instance.get("DirectInternetAccess") != "Disabled", False),
        "keep_retired_instance_type": (model.is_retired_type(instance["InstanceType"]), False),
        "root_access": (instance.get("RootAccess", "Enabled") != "Disabled", False),
        "imds_version": (metadata.get("MinimumInstanceMetadataServiceVersion", "1"), "2"),
        "default_code_repository": (instance.get("DefaultCodeRepository"), None),
        "additional_code_repositories": (instance.get("AdditionalCodeRepositories", []), []),
        "tags": (further_tags, {}),
    }
    return values | {key: value for key, (value, usual) in settings.items() if value != usual}


def _platform_notes(destination: Destination, instance: Any) -> list[str]:
    """A note if AWS does not start the instance again, or none."""
    if not model.is_retired_platform(instance.get("PlatformIdentifier", "")):
        return []
    name, region = instance["NotebookInstanceName"], destination.cloud.region
    move = platforms.describe_move(
        name, instance["InstanceType"], region, instance["NotebookInstanceStatus"]
    )
    return [f"notebook {name}: {move} (a deployment that changes it stops it too)"]


def _notes(
    instance: Any, tags: Mapping[str, str], values: Mapping[str, Value], has_scripts: bool
) -> list[str]:
    label = f"notebook {instance['NotebookInstanceName']}"
    notes = lifecycle.notes(instance, has_scripts)
    insecure = [key for key in ("direct_internet_access", "root_access") if values.get(key)]
    insecure += ["imds_version = 1"] if values.get("imds_version") == "1" else []
    if insecure:
        notes.append(
            f"{label}: it keeps {', '.join(insecure)}, which other notebooks here do not have"
        )
    if (addresses := instance.get("IpAddressType", "ipv4")) != "ipv4":
        notes.append(
            f"{label}: it keeps its IP addresses ({addresses}), of which no value here says"
        )
    if "notebook" in {key.lower() for key in tags}:
        notes.append(f"{label}: it loses its tag Notebook, which marks isolated notebooks here")
    notes.append(f"{label}: it does not stop when idle until idle_stop_minutes says so")
    return notes
