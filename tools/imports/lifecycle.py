"""The lifecycle configuration of a notebook instance to import, and its scripts."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from tools.errors import UserError
from tools.imports.destination import Destination

# Hook to the variable that names its script, and the script.
_HOOKS = {
    "OnCreate": ("on_create_file", "on-create.sh"),
    "OnStart": ("on_start_file", "on-start.sh"),
}
_SCRIPT_SECONDS = 250  # user_script_seconds in modules/sagemaker-notebook/lifecycle.tf


@dataclass(frozen=True)
class Script:
    """A script of a lifecycle configuration: its file, and the variable that names that."""

    variable: str
    file: str
    content: bytes


def read_scripts(destination: Destination, instance: Any) -> list[Script]:
    """Returns the scripts that run when the instance is made and started.

    Raises UserError if one is not text in UTF-8.
    """
    name = instance.get("NotebookInstanceLifecycleConfigName")
    if not name:
        return []
    configuration = destination.ask(
        f"read lifecycle configuration {name}",
        "sagemaker",
        "describe_notebook_instance_lifecycle_config",
        NotebookInstanceLifecycleConfigName=name,
    )
    return [
        Script(variable, file, _decode(name, hook, scripts[0]["Content"]))
        for hook, (variable, file) in _HOOKS.items()
        if (scripts := (configuration or {}).get(hook)) and scripts[0].get("Content")
    ]


def _decode(name: str, hook: str, encoded: str) -> bytes:
    try:
        script = base64.b64decode(encoded, validate=True)
        script.decode()  # Terraform reads a file as UTF-8
    except (binascii.Error, ValueError):
        raise UserError(
            f"{hook} of lifecycle configuration {name} is not text in UTF-8, which Terraform "
            "needs; first give the notebook a configuration that is"
        ) from None
    return script


def notes(instance: Any, has_scripts: bool) -> list[str]:
    """Returns notes on what a deployment does to the instance's lifecycle configuration."""
    label = f"notebook {instance['NotebookInstanceName']}"
    current = instance.get("NotebookInstanceLifecycleConfigName")
    is_replaced = current != instance["NotebookInstanceName"]
    lines = []
    if has_scripts:
        stays = f"; {current} stays, unmanaged" if is_replaced else ""
        lines.append(
            f"{label}: from its next start, a lifecycle configuration of its own runs its scripts, "
            f"each for at most {_SCRIPT_SECONDS} seconds{stays}"
        )
    if current and (is_replaced or not has_scripts):
        lines.append(f"{label}: the deployment stops and starts it for that")
    return lines
