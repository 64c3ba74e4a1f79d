"""Checks of this machine: Terraform, its provider, Python, the disk."""

import shutil
import sys
import urllib.error
import urllib.request
from pathlib import Path

from tools.console import figures
from tools.doctor.check import Check
from tools.engine.preparation import MINIMUM_FREE
from tools.terraform.binary import Terraform

# A provider is 700 MB unpacked, and 150 MB packed beside it (AWS provider 5.100).
_ENOUGH_BYTES = 2_000_000_000
_REGISTRY_SECONDS = 4


def check_terraform(terraform: Terraform) -> Check:
    """The binary and its version; one below 1.0 is none."""
    version = f"{terraform.product} {terraform.version_text} for {terraform.platform}"
    return Check("terraform", "ok", f"{version}, {terraform.binary}")


def check_provider(terraform: Terraform) -> Check:
    """Where `terraform init` gets the AWS provider."""
    name = "provider source"
    if not terraform.downloads:
        mirror = terraform.found_mirror
        source = f"the folder {mirror}" if mirror else "where Terraform's own settings say"
        return Check(name, "ok", f"the AWS provider comes from {source}")
    url = f"https://{terraform.registry}/.well-known/terraform.json"
    try:
        with urllib.request.urlopen(url, timeout=_REGISTRY_SECONDS):
            return Check(name, "ok", f"the AWS provider comes from {terraform.registry}")
    except (OSError, ValueError) as error:  # ValueError: a proxy's URL that is none
        reason = getattr(error, "reason", error)
        return Check(
            name,
            "error",
            f"the AWS provider comes from {terraform.registry}, which cannot be reached: {reason}",
            "allow it, or set up a mirror: "
            "https://developer.hashicorp.com/terraform/cli/config/config-file#provider-installation",
        )


def check_python() -> Check:
    """The Python that runs this."""
    return Check("python", "ok", f"Python {sys.version.split()[0]}, {sys.executable}")


def check_disk(root: Path) -> Check:
    """The free space where states and providers are written."""
    free = shutil.disk_usage(root).free
    detail = f"{figures.size(free)} are free in {root}"
    if free < MINIMUM_FREE:
        return Check("disk", "error", f"{detail}: a state could not be written", "make room")
    if free < _ENOUGH_BYTES:
        needed = f"a provider needs up to {figures.size(_ENOUGH_BYTES)}"
        return Check("disk", "warning", f"{detail}; {needed}", "make room")
    return Check("disk", "ok", detail)
