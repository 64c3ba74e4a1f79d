"""Where Terraform's providers come from, by what is set and what lies where."""

import json
import os
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from tools.terraform import providers
from tools.terraform.binary import Terraform

PLATFORM = "linux_amd64"


def put_provider(mirror: Path, platform: str = PLATFORM) -> Path:
    unpacked = mirror / "registry.terraform.io/hashicorp/aws/5.100.0" / platform
    unpacked.mkdir(parents=True)
    (unpacked / "terraform-provider-aws_v5.100.0_x5").touch()
    return mirror


def found(home: Path, *prefixes: Path, **env: str) -> Path | None:
    nowhere = {"XDG_DATA_DIRS": str(home / "nowhere"), "HOME": str(home)}
    return providers.find_source({**nowhere, **env}, PLATFORM, prefixes=prefixes).mirror


@pytest.mark.parametrize("below", ["", "plugins"])
def test_finds_a_mirror_one_or_two_levels_below_a_prefix(tmp_path: Path, below: str) -> None:
    mirror = put_provider(tmp_path / "opt" / below)
    assert found(tmp_path / "home", tmp_path / "srv", tmp_path / "opt") == mirror


def test_opentofu_has_a_registry_of_its_own(tmp_path: Path) -> None:
    put_provider(tmp_path / "opt")
    host = providers.HOST_OF["OpenTofu"]
    env = {"XDG_DATA_DIRS": str(tmp_path / "nowhere"), "HOME": str(tmp_path)}

    def source() -> providers.Source:
        return providers.find_source(env, PLATFORM, host, prefixes=[tmp_path / "opt"])

    assert source() == providers.Source(is_registry=True)
    (tmp_path / "opt/registry.terraform.io").rename(tmp_path / "opt" / host)
    assert source() == providers.Source(tmp_path / "opt")
    assert f'"{host}/hashicorp/aws"' in providers.cli_config_text(tmp_path / "opt", None, host)


def test_finds_a_packed_mirror(tmp_path: Path) -> None:
    provider = tmp_path / "opt/registry.terraform.io/hashicorp/aws"
    provider.mkdir(parents=True)
    (provider / f"terraform-provider-aws_5.100.0_{PLATFORM}.zip").touch()
    assert found(tmp_path, tmp_path / "opt") == tmp_path / "opt"


def test_passes_over_a_mirror_for_another_platform(tmp_path: Path) -> None:
    put_provider(tmp_path / "opt", "windows_arm64")
    assert found(tmp_path, tmp_path / "opt") is None


def test_passes_over_a_mirror_three_levels_down(tmp_path: Path) -> None:
    put_provider(tmp_path / "opt/a/b")
    assert found(tmp_path, tmp_path / "opt") is None


def test_the_registry_answers_where_no_mirror_lies(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "XDG_DATA_DIRS": str(tmp_path)}
    source = providers.find_source(env, PLATFORM, prefixes=[tmp_path / "opt"])
    assert source == providers.Source(is_registry=True)


def test_leaves_init_arguments_alone(tmp_path: Path) -> None:
    mirror = put_provider(tmp_path / "opt")
    assert found(tmp_path, mirror, TF_CLI_ARGS_init="-plugin-dir=/x") is None


def test_leaves_a_configuration_alone_that_says_how_to_install(tmp_path: Path) -> None:
    mirror = put_provider(tmp_path / "opt")
    config = tmp_path / "terraform.rc"
    config.write_text("provider_installation {\n  direct {}\n}\n")
    assert found(tmp_path, mirror, TF_CLI_CONFIG_FILE=str(config)) is None


def test_a_configuration_that_says_nothing_of_it_keeps_its_text(tmp_path: Path) -> None:
    mirror = put_provider(tmp_path / "opt")
    config = tmp_path / ".terraformrc"
    config.write_text('credentials "app.terraform.io" {}\n')
    assert found(tmp_path, mirror) == mirror
    text = providers.cli_config_text(mirror, config)
    assert text.startswith('credentials "app.terraform.io" {}\n')
    assert f'path    = "{mirror}"' in text


def test_leaves_an_implied_mirror_to_terraform(tmp_path: Path) -> None:
    mirror = put_provider(tmp_path / "opt")
    put_provider(tmp_path / "home/.terraform.d/plugins")
    assert found(tmp_path / "home", mirror) is None


def test_a_plugin_cache_that_holds_the_provider_comes_before_system_folders(tmp_path: Path) -> None:
    mirror = put_provider(tmp_path / "opt")
    cache = put_provider(tmp_path / "cache")
    assert found(tmp_path, mirror, TF_PLUGIN_CACHE_DIR=str(cache)) == cache


def test_a_configuration_file_that_is_missing_is_not_handed_on(tmp_path: Path) -> None:
    env = {**os.environ, "TF_CLI_CONFIG_FILE": str(tmp_path / "missing.rc")}
    terraform = Terraform.find(env, tmp_path / "scratch")
    done = subprocess.run(
        [terraform.binary, "version"], env=terraform.env, capture_output=True, text=True, check=True
    )
    assert terraform.env.get("TF_CLI_CONFIG_FILE") != str(tmp_path / "missing.rc")
    assert "Unable to open CLI configuration file" not in done.stdout + done.stderr


def test_terraform_installs_from_the_mirror_that_is_written_down(tmp_path: Path) -> None:
    terraform = Terraform.find(os.environ, tmp_path / "scratch")

    def run(*arguments: str) -> str:
        env = {**terraform.env, "TF_CLI_CONFIG_FILE": str(tmp_path / "terraform.rc")}
        done = subprocess.run(
            [terraform.binary, *arguments], cwd=tmp_path, env=env, capture_output=True, text=True
        )
        return done.stdout + done.stderr

    (tmp_path / "terraform.rc").touch()
    mirror = put_provider(tmp_path / "mirror", json.loads(run("version", "-json"))["platform"])
    (tmp_path / "terraform.rc").write_text(providers.cli_config_text(mirror, None))
    (tmp_path / "main.tf").write_text('provider "aws" {}\n')
    # The stand-in is an empty file: that init installs it at all shows where it came from.
    assert "Installed hashicorp/aws v5.100.0" in run("init")


def test_what_must_be_downloaded_is_downloaded_once(tmp_path: Path) -> None:
    # A packed mirror stands for the registry, which tests cannot count on: Terraform unpacks from
    # both into its plugin cache. The provider in it is an empty file, which init never starts.
    terraform = Terraform.find(os.environ, tmp_path / "settings")
    packed = tmp_path / "origin/registry.terraform.io/hashicorp/aws"
    packed.mkdir(parents=True)
    archive = packed / f"terraform-provider-aws_5.100.0_{terraform.platform}.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("terraform-provider-aws_v5.100.0_x5", "")
    (tmp_path / "terraform.rc").write_text(providers.cli_config_text(tmp_path / "origin", None))
    plain = {**terraform.env, "HOME": str(tmp_path)}
    plain.pop("TF_CLI_CONFIG_FILE", None)
    env = {**plain, "TF_CLI_CONFIG_FILE": str(tmp_path / "terraform.rc")}
    replace(terraform, downloads=True, env=env).with_provider_downloaded(tmp_path / "scratch")
    archive.unlink()
    cached = replace(terraform, downloads=True, env=plain).with_provider_downloaded(
        tmp_path / "scratch"
    )
    (tmp_path / "root").mkdir()
    (tmp_path / "root/main.tf").write_text('provider "aws" {}\n')
    cached.init(tmp_path / "root", tmp_path / "init.log")
    assert "Installed hashicorp/aws v5.100.0" in (tmp_path / "init.log").read_text()
