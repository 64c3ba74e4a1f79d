"""Finds the terraform (or tofu) binary, its version and the environment it runs in."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tools.errors import UserError
from tools.system import files
from tools.terraform import providers

MINIMUM = (1, 0, 0)
INSTALL = (
    "install it: https://developer.hashicorp.com/terraform/install, or OpenTofu: "
    "https://opentofu.org/docs/intro/install"
)
# Names the binary, or where it is; without it terraform on PATH is taken, then tofu.
VARIABLE = "TOOLS_TERRAFORM"


# A workspace or a data folder would lead every stack to another state, or all to one.
_LEFT_OUT = ("TF_DATA_DIR", "TF_WORKSPACE")


def child_environment(env: Mapping[str, str]) -> dict[str, str]:
    """`env` for a child process: Terraform warns on every call where its configuration file is
    named and missing; GOGC trades the provider's memory for a third of its CPU time."""
    clean = {"GOGC": "400", **env, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
    for name in _LEFT_OUT:
        clean.pop(name, None)
    # Terraform is to ask, so that what takes data away can be refused.
    for name in ("TF_CLI_ARGS", "TF_CLI_ARGS_apply"):
        if name in clean:
            clean[name] = re.sub(r"(?<!\S)--?auto-approve(=\S*)?(?!\S)", "", clean[name])
    if providers.cli_config_file(clean) is None:
        clean.pop("TF_CLI_CONFIG_FILE", None)
    return clean


def find_binary(env: Mapping[str, str]) -> Path:
    path = env.get("PATH", os.defpath)
    if named := env.get(VARIABLE):
        found = shutil.which(named, path=path)
        if not found:
            raise UserError(
                f"{VARIABLE} names {named}, which is no program; unset it, or {INSTALL}"
            )
        return Path(found).absolute()
    for name in ("terraform", "tofu"):
        if found := shutil.which(name, path=path):
            return Path(found)
    raise UserError(f"terraform is not on PATH, nor is tofu; {INSTALL}")


def read_version(
    binary: Path, env: Mapping[str, str], scratch: Path
) -> tuple[tuple[int, int, int], str]:
    """Version and platform; asked once of a binary that does not change."""
    noted = scratch / "terraform-version.json"
    identity = _identity(binary)
    try:
        known = json.loads(noted.read_text())
        answer = known["answer"] if identity and known["of"] == identity else None
    except (OSError, ValueError, KeyError, TypeError):
        answer = None
    if answer is None:
        answer = _ask_version(binary, env)
        if identity:
            files.write(noted, json.dumps({"of": identity, "answer": answer}))
    number, platform = answer
    parts = re.match(r"(\d+)\.(\d+)\.(\d+)", number)
    version = (int(parts[1]), int(parts[2]), int(parts[3])) if parts else (0, 0, 0)
    if version < MINIMUM:
        raise UserError(f"{binary} is Terraform {number}; 1.0 or later is needed: {INSTALL}")
    return version, platform


def _ask_version(binary: Path, env: Mapping[str, str]) -> list[str]:
    try:
        result = subprocess.run(
            [binary, "version", "-json"], env=env, capture_output=True, text=True, check=False
        )
        answer = json.loads(result.stdout)
        return [str(answer["terraform_version"]), str(answer["platform"])]
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f"{binary} is no Terraform that says its version; {INSTALL}") from None


def _identity(binary: Path) -> list[str | int] | None:
    """What changes with the binary; None for a script, which may start one version or another."""
    try:
        with binary.open("rb") as file:
            is_script = file.read(2) == b"#!"
        found = binary.resolve().stat()
    except OSError:
        return None
    return None if is_script else [str(binary.resolve()), found.st_mtime_ns, found.st_size]
