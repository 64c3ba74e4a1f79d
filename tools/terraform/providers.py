"""Where Terraform finds its providers when the registry is out of reach.

Terraform's own settings come first and are left alone. Where they name nothing, a
`registry.terraform.io` folder under the usual system prefixes is used as a filesystem mirror:
https://developer.hashicorp.com/terraform/cli/config/config-file#provider-installation
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.hcl import scanning

HOST = "registry.terraform.io"
# The registry of a provider that a stack names without one, as in "hashicorp/aws".
HOST_OF = {"Terraform": HOST, "OpenTofu": "registry.opentofu.org"}
_PROVIDER = "hashicorp/aws"
_FIRST_BAD, _FIRST_GOOD = (6, 22, 0), (6, 40, 0)
_SYSTEM_PREFIXES = tuple(map(Path, ("/opt", "/usr/local", "/usr/share", "/srv")))


def cli_config_file(env: Mapping[str, str]) -> Path | None:
    """Returns the CLI configuration that Terraform reads in `env`, or None if it is no file."""
    named = env.get("TF_CLI_CONFIG_FILE")
    path = Path(named) if named else home_folder(env) / ".terraformrc"
    return path if path.is_file() else None


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
    host: str = HOST,
    prefixes: Iterable[Path] = _SYSTEM_PREFIXES,
) -> Source:
    """Returns where Terraform gets the AWS provider for `platform`, such as linux_amd64.

    The user's settings (in `env` and the CLI configuration) come first, then the mirrors that
    Terraform knows, then folders below `prefixes`, then the registry.
    """
    # These arguments may name a -plugin-dir:
    # https://developer.hashicorp.com/terraform/cli/commands/init#plugin-installation
    if "TF_CLI_ARGS_init" in env or _sets("provider_installation", cli_config_file(env)):
        return Source()
    cache = env.get("TF_PLUGIN_CACHE_DIR")
    if cache and holds_provider(Path(cache), platform, host):
        return Source(Path(cache))
    if any(holds_provider(mirror, platform, host) for mirror in _implied_mirrors(env)):
        return Source()
    for mirror in _below((*prefixes, home_folder(env) / ".terraform.d"), host):
        if holds_provider(mirror, platform, host):
            return Source(mirror)
    return Source(is_registry=True)


def mirror_folder(env: Mapping[str, str], platform: str, host: str) -> Path | None:
    """Returns the first folder that has the AWS provider for `platform`, None without one.

    Of the user's own settings for the installation it knows none.
    """
    cache = env.get("TF_PLUGIN_CACHE_DIR")
    folders = [
        *([Path(cache)] if cache else []),
        *_implied_mirrors(env),
        *_below((*_SYSTEM_PREFIXES, home_folder(env) / ".terraform.d"), host),
    ]
    return next((folder for folder in folders if holds_provider(folder, platform, host)), None)


def known_bad(version: str) -> str:
    """Returns what is wrong with a version of the AWS provider, empty if nothing is known.

    The source: https://github.com/hashicorp/terraform-provider-aws/issues/47320
    """
    if not _FIRST_BAD <= _numbers(version) < _FIRST_GOOD:
        return ""
    return (
        f"AWS provider {version} plans the same change of the buckets' encryption in every run, as "
        "6.22 to 6.39 do; take 6.40 or later: tools lock --upgrade, or `terraform init -upgrade`"
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def cli_config_text(mirror: Path, existing: Path | None, host: str = HOST) -> str:
    """Returns the text of a CLI configuration: the user's (`existing`), and `mirror` added."""
    # Terraform reads one file: TF_CLI_CONFIG_FILE replaces the user's own.
    # https://developer.hashicorp.com/terraform/cli/config/config-file#locations
    users_text = existing.read_text() + "\n" if existing else ""
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


def names_plugin_cache(env: Mapping[str, str]) -> bool:
    """Returns whether the CLI configuration that Terraform reads in `env` sets a plugin cache."""
    return _sets("plugin_cache_dir", cli_config_file(env))


def home_folder(env: Mapping[str, str]) -> Path:
    """Returns the home of a user with `env`, as Terraform finds it: not only by HOME.

    https://github.com/mitchellh/go-homedir
    """
    return Path(env.get("HOME") or Path.home())


def _sets(name: str, config: Path | None) -> bool:
    return config is not None and scanning.sets(config.read_text(), name)


def _implied_mirrors(env: Mapping[str, str]) -> Iterator[Path]:
    """The folders in which Terraform looks for providers if its settings name none.

    https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories
    """
    home = home_folder(env)
    yield home / ".terraform.d/plugins"
    yield Path(env.get("XDG_DATA_HOME") or home / ".local/share") / "terraform/plugins"
    for directory in (env.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(os.pathsep):
        yield Path(directory) / "terraform/plugins"


def _below(prefixes: Iterable[Path], host: str) -> Iterator[Path]:
    """Folders that hold one called `host`, one or two levels below a prefix."""
    for prefix in prefixes:
        for pattern in (host, f"*/{host}"):
            yield from (folder.parent for folder in sorted(prefix.glob(pattern)))


def holds_provider(mirror: Path, platform: str, host: str) -> bool:
    """Returns whether the AWS provider is in `mirror`, packed or unpacked.

    https://developer.hashicorp.com/terraform/cli/config/config-file#filesystem_mirror
    """
    provider = mirror / host / _PROVIDER
    unpacked = provider.glob(f"*/{platform}/terraform-provider-*")
    packed = provider.glob(f"terraform-provider-*_{platform}.zip")
    return any(unpacked) or any(packed)
