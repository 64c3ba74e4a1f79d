"""A notebook instance that a directory of its own would take."""

import base64
import binascii
import getpass
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tools.errors import UserError
from tools.hcl.reading import Value
from tools.imports import security_groups
from tools.imports.destination import Site, tags
from tools.imports.request import ENDPOINTS, GROUPS, IAM, S3, Adoption, Takeover
from tools.scaffold import render
from tools.scaffold.notebook import check_name, make

_INSTANCE = "module.notebook.aws_sagemaker_notebook_instance.this"
_LIFECYCLE = "module.notebook.aws_sagemaker_notebook_instance_lifecycle_configuration.this[0]"
_CLIENTS = "endpoint_client_security_group_ids"
_REFUSED = ("Failed", "Deleting")
# From tags, whatever their case; what is in none of them, and given by no option, is this.
_TOLD_BY_TAGS = ("owner", "purpose", "environment")
# The provider sets them, or the rest of the repository would take them for its own.
_DROPPED_TAGS = frozenset({"project", "managedby", "stack", "notebook", *_TOLD_BY_TAGS})
# Hook to the variable that names its script, and the script.
_HOOKS = {
    "OnCreate": ("on_create_file", "on-create.sh"),
    "OnStart": ("on_start_file", "on-start.sh"),
}


@dataclass(frozen=True)
class Shared:
    """What notebooks get from the shared stacks; None is not known, or not there."""

    role_arn: str | None = None
    subnet_id: str | None = None
    security_group_id: str | None = None
    endpoint_security_group_id: str | None = None

    @classmethod
    def of(cls, site: Site) -> "Shared":
        """From the outputs of the shared stacks. Raises UserError where one is not deployed."""
        site.require(S3, IAM, GROUPS, ENDPOINTS)
        subnets = site.outputs(ENDPOINTS).get("subnet_ids") or [None]
        return cls(
            site.outputs(IAM).get("role_arn"),
            subnets[0],
            site.outputs(GROUPS).get("notebook_security_group_id"),
            site.outputs(GROUPS).get("endpoint_security_group_id"),
        )


def notebook(
    site: Site,
    name: str,
    shared: Shared,
    directory: str | None = None,
    given: Mapping[str, Value] | None = None,
) -> Takeover:
    """The instance called `name`, taken by notebooks/`directory`.

    That is, where it is not given, the directory that is for this instance, or one called like it.
    Values are what AWS has, where the shared stacks would give another; owner, purpose and
    environment are those `given`, else from its tags. A directory that is there already, for this
    instance, stays as it is. Raises UserError where there is no such instance, where it cannot be
    taken, and where the directory is another's.
    """
    directory = directory or _own_directory(site, name) or name
    check_name(directory)
    about = f"look for notebook {name}"
    found = site.ask(about, "sagemaker", "describe_notebook_instance", NotebookInstanceName=name)
    check(site, name, found)
    arn = found["NotebookInstanceArn"]
    its_tags = tags(site.every(about, "sagemaker", "list_tags", "Tags", ResourceArn=arn))
    scripts = _scripts(site, found)
    adoptions = [Adoption.at(f"notebooks/{directory}", _INSTANCE, name)]
    # Its own configuration is called like it; another one would be made under a name that is taken.
    if scripts and found.get("NotebookInstanceLifecycleConfigName") == name:
        adoptions.append(Adoption.at(f"notebooks/{directory}", _LIFECYCLE, name))
    if _is_there(site, directory, name):
        note = f"notebooks/{directory} is there already, and stays as it is"
        return Takeover(tuple(adoptions), notes=(note,))
    values = _values(found, shared, directory, its_tags) | dict(given or {})
    values |= {_HOOKS[hook][0]: _HOOKS[hook][1] for hook in scripts}
    types = render.variables(site.templates)
    files = {_HOOKS[hook][1]: script for hook, script in scripts.items()}
    made = make(directory, values, types, files)
    client = _client(site, found, shared)
    notes = _notes(found, its_tags, values, bool(scripts))
    if client:
        notes.append(
            f"notebook {name}: its group {client} is not the stacks', so that it becomes a client "
            f"of the endpoints: everything that has it may reach them, once {GROUPS} is deployed"
        )
    return Takeover(
        (*adoptions, *_rule_of(site, client, shared)),
        {GROUPS: {_CLIENTS: [client]}} if client else {},
        notebooks=(made,),
        notes=tuple(notes),
    )


def check(site: Site, name: str, found: Any) -> None:
    """Raises UserError where an instance, as AWS describes it, does not exist or fits nowhere."""
    if not found:
        raise UserError(
            f"there is no notebook {name} in {site.cloud}; to see which there are: "
            f"tools import{site.option} --scan"
        )
    status = found["NotebookInstanceStatus"]
    if status in _REFUSED:
        reason = found.get("FailureReason") or "AWS says no more"
        raise UserError(
            f"notebook {name} is {status}, which no Terraform can go on with ({reason})"
        )
    if not found.get("SubnetId"):
        raise UserError(
            f"notebook {name} is in no VPC, as notebooks here are: taken, it would be replaced "
            "and lose its volume; copy its files to a bucket, and make another: tools new-notebook"
        )


def _client(site: Site, found: Any, shared: Shared) -> str | None:
    """The group by which the endpoints have to admit it, None where they do already.

    They admit the notebooks' group, and those that are named as clients.
    """
    own = found.get("SecurityGroups", [])
    clients = site.declared(GROUPS).get(_CLIENTS)
    admitted = {shared.security_group_id, *(clients if isinstance(clients, list) else [])}
    return None if admitted & set(own) or not own else str(own[0])


def _rule_of(site: Site, client: str | None, shared: Shared) -> list[Adoption]:
    """The rule that admits `client`, where the endpoints' group has it already."""
    group = shared.endpoint_security_group_id
    if not (client and group):
        return []
    found = security_groups.rule_from(site, group, client)
    return [Adoption.at(GROUPS, security_groups.client_address(client), found)] if found else []


def _own_directory(site: Site, name: str) -> str | None:
    """The directory that is for this instance, None where there is none."""
    instances = site.records.repository.instance_names()
    return next((where for where, instance in instances.items() if instance == name), None)


def _is_there(site: Site, directory: str, name: str) -> bool:
    """Whether the directory is there for this very instance; another's is a UserError."""
    repository = site.records.repository
    instances = repository.instance_names()
    if directory not in instances:
        if other := _own_directory(site, name):
            raise UserError(f"notebooks/{other} is for notebook {name} already; take that one")
        return False
    if instances[directory] != name:
        raise UserError(
            f"notebooks/{directory} is there already, for notebook {instances[directory]}; name "
            "another with --directory"
        )
    return True


def _values(
    found: Any, shared: Shared, directory: str, its_tags: Mapping[str, str]
) -> dict[str, Value]:
    name = found["NotebookInstanceName"]
    told = {key.lower(): value for key, value in its_tags.items()}
    metadata = found.get("InstanceMetadataServiceConfiguration", {})
    values: dict[str, Value] = {
        "instance_type": found["InstanceType"],
        "volume_size": found.get("VolumeSizeInGB", 5),
        "owner": told.get("owner") or getpass.getuser(),
        "purpose": told.get("purpose") or name,
        "environment": told.get("environment") or "dev",
        "idle_stop_minutes": 0,
    }
    differing: dict[str, tuple[Value, Value]] = {
        "name": (name, directory),
        "role_arn": (found["RoleArn"], shared.role_arn),
        "subnet_id": (found["SubnetId"], shared.subnet_id),
        "security_group_ids": (
            found.get("SecurityGroups", []),
            [shared.security_group_id],
        ),
        "kms_key_id": (found.get("KmsKeyId"), None),
        "direct_internet_access": (found.get("DirectInternetAccess") != "Disabled", False),
        "root_access": (found.get("RootAccess", "Enabled") != "Disabled", False),
        "imds_version": (metadata.get("MinimumInstanceMetadataServiceVersion", "1"), "2"),
        "default_code_repository": (found.get("DefaultCodeRepository"), None),
        "additional_code_repositories": (found.get("AdditionalCodeRepositories", []), []),
        "tags": (_further(its_tags), {}),
    }
    return values | {key: there for key, (there, ours) in differing.items() if there != ours}


def _further(its_tags: Mapping[str, str]) -> dict[str, Value]:
    return {key: value for key, value in its_tags.items() if key.lower() not in _DROPPED_TAGS}


def _scripts(site: Site, found: Any) -> dict[str, bytes]:
    """The scripts of its lifecycle configuration, by hook."""
    name = found.get("NotebookInstanceLifecycleConfigName")
    if not name:
        return {}
    config = site.ask(
        f"read lifecycle configuration {name}",
        "sagemaker",
        "describe_notebook_instance_lifecycle_config",
        NotebookInstanceLifecycleConfigName=name,
    )
    return {
        hook: _decoded(name, hook, scripts[0]["Content"])
        for hook in _HOOKS
        if (scripts := (config or {}).get(hook)) and scripts[0].get("Content")
    }


def _decoded(name: str, hook: str, content: str) -> bytes:
    try:
        script = base64.b64decode(content, validate=True)
        script.decode()  # Terraform reads a file as UTF-8
    except (binascii.Error, ValueError):
        raise UserError(
            f"{hook} of lifecycle configuration {name} is no text in UTF-8, which it has to be; "
            "make a configuration of text, and give it to the notebook first"
        ) from None
    return script


def _notes(
    found: Any, its_tags: Mapping[str, str], values: Mapping[str, Value], has_scripts: bool
) -> list[str]:
    name = found["NotebookInstanceName"]
    notes = []
    lifecycle = found.get("NotebookInstanceLifecycleConfigName")
    if has_scripts:
        stays = "" if lifecycle == name else f"; {lifecycle} stays, unmanaged"
        notes.append(
            f"notebook {name}: a lifecycle configuration of its own runs its scripts from its next "
            f"start on, each for 250 seconds at most{stays}"
        )
    if (lifecycle and lifecycle != name) or (lifecycle and not has_scripts):
        notes.append(f"notebook {name}: the deployment stops it and starts it again, for that")
    open_ = [key for key in ("direct_internet_access", "root_access") if values.get(key)]
    open_ += ["imds_version = 1"] if values.get("imds_version") == "1" else []
    if open_:
        notes.append(
            f"notebook {name}: it keeps {', '.join(open_)}, which notebooks here do not have"
        )
    if "Notebook" in {key.capitalize() for key in its_tags}:
        notes.append(f"notebook {name}: it loses its tag Notebook, which marks isolated ones here")
    notes.append(f"notebook {name}: it does not stop when idle, until idle_stop_minutes says so")
    return notes
