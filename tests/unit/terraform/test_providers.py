"""Where Terraform's providers come from, by what is set and what lies where."""

from pathlib import Path

import pytest

from tools.terraform import providers

PLATFORM = "linux_amd64"


def put_provider(mirror: Path, platform: str = PLATFORM, host: str = providers.HOST) -> Path:
    unpacked = mirror / host / "hashicorp/aws/5.100.0" / platform
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
