"""Where Terraform finds its providers when the registry is out of reach.

Terraform's own settings come first and are left alone. Where they name nothing, a
`registry.terraform.io` folder under the usual system prefixes is used as a filesystem mirror:
https://developer.hashicorp.com/terraform/cli/config/config-file#provider-installation
"""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.hcl import scanning
from tools.system.user import home_folder

HOST = "registry.terraform.io"
# The registry of a provider that a stack names without one, as in "hashicorp/aws".
HOST_OF = {"Terraform": HOST, "OpenTofu": "registry.opentofu.org"}
# Name one file that both programs read instead of the user's, the first before the second.
CONFIG_VARIABLES = ("TF_CLI_CONFIG_FILE", "TERRAFORM_CONFIG")
_PROVIDER = "hashicorp/aws"
_FIRST_BAD, _FIRST_GOOD = (6, 22, 0), (6, 40, 0)
_SYSTEM_PREFIXES = tuple(map(Path, ("/opt", "/usr/local", "/usr/share", "/srv")))


def cli_config_files(env: Mapping[str, str], product: str = "Terraform") -> list[Path]:
    """Returns the files of CLI configuration that `product` reads in `env`, the user's own first.

    They are the one that a variable names, or else the one in the home and those of a folder:
    https://github.com/hashicorp/terraform/blob/v1.11.4/internal/command/cliconfig/cliconfig.go
    https://github.com/hashicorp/terraform/blob/v1.11.4/internal/command/cliconfig/config_unix.go
    https://github.com/opentofu/opentofu/blob/02c0b95/internal/command/cliconfig/config_unix.go
    """
    named = next((env[name] for name in CONFIG_VARIABLES if env.get(name)), None)
    if named:
        return [Path(named)] if Path(named).is_file() else []
    home, xdg_folder = home_folder(env), env.get("XDG_CONFIG_HOME")
    main, folder = home / ".terraformrc", home / ".terraform.d"
    if product == "OpenTofu":
        own = home / ".tofurc"
        if xdg_folder and not own.exists() and not main.exists():
            own = Path(xdg_folder, "opentofu/tofurc")
        main = own if own.exists() or not main.exists() else main
        if xdg_folder and not folder.exists():
            folder = Path(xdg_folder, "opentofu")
    others = [*folder.glob("*.tfrc"), *folder.glob("*.tfrc.json")]
    return [file for file in (main, *sorted(others)) if file.is_file()]


@dataclass(frozen=True)
class Source:
    """Where `terraform init` gets the AWS provider.

    `mirror` is a folder that Terraform must be told of. With `is_registry` the provider is to be
    downloaded. With neither, Terraform finds it by itself or by the user's settings.
    """

    mirror: Path | None = None
    is_registry: bool = False


def find_source(
    env: Mapping[str, str],
    platform: str,
    product: str = "Terraform",
    prefixes: Iterable[Path] = _SYSTEM_PREFIXES,
) -> Source:
    """Returns where Terraform gets the AWS provider for `platform`, such as linux_amd64.

    The user's settings (in `env` and the CLI configuration) come first, then the mirrors that
    Terraform knows, then folders below `prefixes`, then the registry.
    """
    # These arguments may name a -plugin-dir:
    # https://developer.hashicorp.com/terraform/cli/commands/init#plugin-installation
    if "TF_CLI_ARGS_init" in env or _sets("provider_installation", env, product):
        return Source()
    for folder, is_implied in _mirrors(env, product, prefixes):
        if holds_provider(folder, platform, HOST_OF[product]):
            return Source() if is_implied else Source(folder)
    return Source(is_registry=True)


def mirror_folder(
    env: Mapping[str, str],
    platform: str,
    product: str = "Terraform",
    prefixes: Iterable[Path] = _SYSTEM_PREFIXES,
) -> Path | None:
    """Returns the first folder that has the AWS provider for `platform`, None without one.

    Of the user's own settings for the installation it knows none.
    """
    folders = (folder for folder, _ in _mirrors(env, product, prefixes))
    return next((f for f in folders if holds_provider(f, platform, HOST_OF[product])), None)


def is_aws(address: str) -> bool:
    """Returns whether the provider with this address is AWS's, from whichever registry."""
    return address.endswith(f"/{_PROVIDER}")


def known_bad(address: str, version: str) -> str:
    """Returns what is wrong with a version of the provider `address`, empty if nothing is known.

    The source: https://github.com/hashicorp/terraform-provider-aws/issues/47320
    """
    if not is_aws(address) or not _FIRST_BAD <= _numbers(version) < _FIRST_GOOD:
        return ""
    return (
        f"AWS provider {version} plans the same change of the buckets' encryption in every run, as "
        "6.22 to 6.39 do; take 6.40 or later: tools lock --upgrade, or `terraform init -upgrade`"
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def cli_config_text(mirror: Path, existing: Iterable[Path] = (), host: str = HOST) -> str:
    """Returns the text of a CLI configuration: the user's (`existing`), and `mirror` added."""
    # Terraform reads one file: TF_CLI_CONFIG_FILE replaces all of the user's own.
    # https://developer.hashicorp.com/terraform/cli/config/config-file#locations
    users_text = "".join(f"{_native_text(file)}\n" for file in existing)
    providers = sorted(
        f'"{host}/{path.parent.name}/{path.name}"'
        for path in (mirror / host).glob("*/*")
        if path.is_dir()
    )
    names = ", ".join(providers)
    return (
        f"{users_text}provider_installation {{\n"
        f'  filesystem_mirror {{\n    path    = "{mirror}"\n    include = [{names}]\n  }}\n'
        f"  direct {{\n    exclude = [{names}]\n  }}\n"
        "}\n"
    )


def _native_text(file: Path) -> str:
    """The text of a CLI configuration in HCL 1's native syntax, if it is JSON."""
    text = file.read_text()
    if not scanning.is_json(text):
        return text
    try:
        document = json.loads(text)
    except ValueError:
        return text  # Terraform says what is wrong with it
    return "\n".join(f"{json.dumps(name)} = {_native(value)}" for name, value in document.items())


def _native(value: object) -> str:
    if isinstance(value, dict):
        pairs = (f"{json.dumps(name)} = {_native(item)}" for name, item in value.items())
        return "{\n" + "\n".join(pairs) + "\n}"
    return json.dumps(value)


def names_plugin_cache(env: Mapping[str, str], product: str) -> bool:
    """Returns whether the CLI configuration that `product` reads in `env` sets a plugin cache."""
    return _sets("plugin_cache_dir", env, product)


def overriding_file(env: Mapping[str, str], product: str) -> Path | None:
    """Returns the CLI configuration that puts a developer's own build in a provider's place."""
    return _file_that_sets("dev_overrides", env, product)


def _sets(name: str, env: Mapping[str, str], product: str) -> bool:
    return _file_that_sets(name, env, product) is not None


def _file_that_sets(name: str, env: Mapping[str, str], product: str) -> Path | None:
    files = cli_config_files(env, product)
    return next((file for file in files if scanning.sets(file.read_text(), name)), None)


def _mirrors(
    env: Mapping[str, str], product: str, prefixes: Iterable[Path]
) -> Iterator[tuple[Path, bool]]:
    """The folders that may hold providers, each with whether `product` looks there by itself."""
    if cache := env.get("TF_PLUGIN_CACHE_DIR"):
        yield Path(cache), False
    for folder in _implied_mirrors(env, product):
        yield folder, True
    for folder in _below((*prefixes, home_folder(env) / ".terraform.d"), HOST_OF[product]):
        yield folder, False


def _implied_mirrors(env: Mapping[str, str], product: str) -> Iterator[Path]:
    """The folders in which `product` looks for providers if its settings name none.

    https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories
    https://github.com/opentofu/opentofu/blob/02c0b95/internal/command/cliconfig/config_unix.go
    """
    home, own = home_folder(env), home_folder(env) / ".terraform.d"
    if product == "OpenTofu" and env.get("XDG_DATA_HOME") and not own.exists():
        own = Path(env["XDG_DATA_HOME"], "opentofu")
    yield own / "plugins"
    yield Path(env.get("XDG_DATA_HOME") or home / ".local/share") / "terraform/plugins"
    for directory in (env.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(os.pathsep):
        yield Path(directory) / "terraform/plugins"


def _below(prefixes: Iterable[Path], host: str) -> Iterator[Path]:
    """Folders that hold one called `host`, one or two levels below a prefix."""
    for prefix in prefixes:
        for pattern in (host, f"*/{host}"):
            yield from (folder.parent for folder in sorted(prefix.glob(pattern)))


def holds_provider(mirror: Path, platform: str, host: str = HOST) -> bool:
    """Returns whether the AWS provider is in `mirror`, packed or unpacked.

    https://developer.hashicorp.com/terraform/cli/config/config-file#filesystem_mirror
    """
    provider = mirror / host / _PROVIDER
    unpacked = provider.glob(f"*/{platform}/terraform-provider-*")
    packed = provider.glob(f"terraform-provider-*_{platform}.zip")
    return any(unpacked) or any(packed)
