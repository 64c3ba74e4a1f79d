"""Lends Terraform's runs a provider that keeps running, where it makes no difference to them."""

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tools.errors import UserError
from tools.hcl import provider_references, scanning
from tools.terraform import providers
from tools.terraform.keeper import VARIABLE, Keeper, Lease, find_provider

# Files that the provider opens, from its working directory if they are relative:
# https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html
_FILE_VARIABLES = (
    "AWS_CA_BUNDLE",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)
# Types of which no argument is a file's path, by each one's page in the provider's documents. The
# provider opens what is relative from its own working directory; Terraform's built-in ones are not
# the kept provider's.
# https://registry.terraform.io/providers/hashicorp/aws/latest/docs
_OPENS_NO_FILE = re.compile(
    r"terraform_\w+|aws_(caller_identity|partition|regions?|ec2_managed_prefix_list|eip|subnets?"
    r"|(availability_zone|internet_gateway|nat_gateway|route_table|route|vpc)s?"
    r"|(budgets|ce|cloudwatch_log|dynamodb|iam|kms|nat_gateway|route_table|sagemaker|scheduler"
    r"|security_group|vpc)_\w+|security_groups?|s3_bucket(?!_object)\w*|ssm_parameter)"
)


@dataclass
class WarmProviders:
    """The AWS providers that `keeper` keeps for one run of `product`.

    `platform` is one such as linux_amd64.

    If one does not start, `say` is told once, and the rest of the run goes on without. With
    `says_why` it is also told of each directory whose Terraform starts its own.
    """

    keeper: Keeper
    platform: str
    say: Callable[[str], None]
    says_why: bool = False
    product: str = "Terraform"
    _told: set[Path] = field(default_factory=set)
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
        if self._failed.is_set() or not installed:
            return None
        if reason := reason_for_own(directory, env, self.product):
            if self.says_why and directory not in self._told:
                self._told.add(directory)
                self.say(f"{directory.name} starts its own: {reason}")
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
    for address, version in scanning.locked_versions(directory).items():
        if providers.is_aws(address):
            folder = directory / ".terraform" / "providers"
            if binary := find_provider(folder, address, version, platform):
                return binary, address
    return None


def reason_for_own(directory: Path, env: Mapping[str, str], product: str = "Terraform") -> str:
    """Returns why a `product` in `directory` is to start its own provider; empty if it need not.

    A kept provider has one configuration and another working directory (keeper.py), and it is not
    the one that the user attaches or overrides.
    """
    if VARIABLE in env:
        return f"{VARIABLE} is set"
    if config := providers.overriding_file(env, product):
        return f"{config} overrides providers"
    for name in _FILE_VARIABLES:
        if env.get(name) and not Path(env[name]).is_absolute():
            return f"{name} is a relative path"
    try:
        by_folder = {folder: _read_folder(folder) for folder in _module_folders(directory)}
    except (OSError, ValueError, KeyError) as error:
        return f"its modules cannot be read by this tool: {error!r}"
    blocks = 0
    types = {kind for files in by_folder.values() for refs in files for kind in refs["types"]}
    may_open = sorted(kind for kind in types if not _OPENS_NO_FILE.fullmatch(kind))
    for folder, files in by_folder.items():
        if reason := next((refs["unreadable"] for refs in files if refs["unreadable"]), ""):
            return f"{folder} cannot be read by this tool: {reason}"
        if may_open and any(refs["relative_path"] for refs in files):
            return f"{folder} has a relative path, which the provider may open for {may_open[0]}"
        names = {"aws", *(name for refs in files for name in refs["names"])}
        for label, *marks in (block for refs in files for block in refs["blocks"]):
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


def _read_folder(folder: Path) -> list[provider_references.ProviderReferences]:
    endings = scanning.CONFIGURATION_ENDINGS
    files = sorted(file for file in folder.iterdir() if file.name.endswith(endings))
    return [
        provider_references.read_references(f.read_bytes(), f.name.endswith(".json"))
        for f in files
        if f.is_file()
    ]
