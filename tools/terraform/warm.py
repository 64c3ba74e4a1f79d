"""Lends Terraform's runs a provider that keeps running, where it makes no difference to them."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tools.errors import UserError
from tools.hcl import provider_uses, scanning
from tools.terraform import providers
from tools.terraform.keeper import VARIABLE, Keeper, Lease, find_provider

_PROVIDER = "/hashicorp/aws"
# Files that the provider opens, from its working directory if they are relative:
# https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html
_FILE_VARIABLES = (
    "AWS_CA_BUNDLE",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)


@dataclass
class WarmProviders:
    """The AWS providers that `keeper` keeps for one run, on a platform such as linux_amd64.

    If one does not start, `say` is told once, and the rest of the run goes on without.
    """

    keeper: Keeper
    platform: str
    say: Callable[[str], None]
    _failed: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def lend(self, directory: Path, env: Mapping[str, str]) -> Iterator[Lease | None]:
        """Yields what makes one Terraform in `directory`, with `env`, use a kept provider.

        None if the Terraform is to start its own, as a kept one could differ: `reason_for_own`.
        """
        with ExitStack() as stack:
            yield self._enter(stack, directory, env)

    def _enter(self, stack: ExitStack, directory: Path, env: Mapping[str, str]) -> Lease | None:
        installed = find_installed(directory, self.platform)
        if self._failed.is_set() or not installed or reason_for_own(directory, env):
            return None
        try:
            return stack.enter_context(self.keeper.lease(*installed, env))
        except UserError as error:
            if not self._failed.is_set():
                self._failed.set()
                self.say(f"each Terraform starts a provider of its own from here on: {error}")
            return None


def find_installed(directory: Path, platform: str) -> tuple[Path, str] | None:
    """Returns the AWS provider that the last init of `directory` has chosen: binary and address.

    That is the version in its lock file, as Terraform itself reads it. None if it is not there.
    """
    lock = directory / scanning.LOCK_FILE
    locked = scanning.locked_versions(lock.read_text()) if lock.is_file() else {}
    for address, version in locked.items():
        if address.endswith(_PROVIDER):
            folder = directory / ".terraform" / "providers"
            if binary := find_provider(folder, address, version, platform):
                return binary, address
    return None


def reason_for_own(directory: Path, env: Mapping[str, str]) -> str:
    """Returns why a Terraform in `directory` is to start its own provider; empty if it need not.

    A kept provider has one configuration and another working directory (keeper.py), and it is not
    the one that the user attaches or overrides.
    """
    if VARIABLE in env:
        return f"{VARIABLE} is set"
    config = providers.cli_config_file(env)
    if config and scanning.sets(config.read_text(), "dev_overrides"):
        return f"{config} overrides providers"
    for name in _FILE_VARIABLES:
        if env.get(name) and not Path(env[name]).is_absolute():
            return f"{name} is a relative path"
    try:
        by_folder = {folder: _read_folder(folder) for folder in _module_folders(directory)}
    except (OSError, ValueError, KeyError) as error:
        return f"its modules cannot be read by this tool: {error!r}"
    blocks = 0
    for folder, files in by_folder.items():
        if reason := next((uses["unreadable"] for uses in files if uses["unreadable"]), ""):
            return f"{folder} cannot be read by this tool: {reason}"
        if any(uses["relative_path"] for uses in files):
            return f"{folder} has a relative path, which the provider may open"
        names = {"aws", *(name for uses in files for name in uses["names"])}
        for label, *marks in (block for uses in files for block in uses["blocks"]):
            if label in names:
                blocks += 1
                if marks or folder != directory or blocks > 1:
                    return "it has more than one plain provider block in its root"
    return ""


def _module_folders(directory: Path) -> list[Path]:
    """The root and its modules, as the last init has found them."""
    manifest = directory / ".terraform" / "modules" / "modules.json"
    if not manifest.is_file():
        return [directory]
    modules = json.loads(manifest.read_text())["Modules"]
    return [directory, *(directory / m["Dir"] for m in modules if m["Key"])]


def _read_folder(folder: Path) -> list[provider_uses.ProviderUses]:
    endings = scanning.CONFIGURATION_ENDINGS
    files = sorted(file for file in folder.iterdir() if file.name.endswith(endings))
    return [
        provider_uses.read_uses(f.read_bytes(), f.name.endswith(".json"))
        for f in files
        if f.is_file()
    ]
