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
        return providers.find_source(env, PLATFORM, "OpenTofu", prefixes=[tmp_path / "opt"])

    assert source() == providers.Source(is_registry=True)
    (tmp_path / "opt/registry.terraform.io").rename(tmp_path / "opt" / host)
    assert source() == providers.Source(tmp_path / "opt")
    assert f'"{host}/hashicorp/aws"' in providers.cli_config_text(tmp_path / "opt", (), host)


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
    text = providers.cli_config_text(mirror, [config])
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


@pytest.mark.parametrize(
    ("product", "files", "read"),
    [
        ("Terraform", [".terraformrc", ".tofurc", "xdg/opentofu/tofurc"], [".terraformrc"]),
        ("Terraform", [".tofurc", "xdg/opentofu/tofurc"], []),
        ("Terraform", [".terraform.d/a.tfrc", ".terraform.d/x"], [".terraform.d/a.tfrc"]),
        ("OpenTofu", [".terraformrc", ".tofurc", "xdg/opentofu/tofurc"], [".tofurc"]),
        ("OpenTofu", [".terraformrc", "xdg/opentofu/tofurc"], [".terraformrc"]),
        ("OpenTofu", ["xdg/opentofu/tofurc"], ["xdg/opentofu/tofurc"]),
        ("OpenTofu", ["xdg/opentofu/b.tfrc.json"], ["xdg/opentofu/b.tfrc.json"]),
        (
            "OpenTofu",
            [".terraformrc", ".terraform.d/a.tfrc.json", "xdg/opentofu/b.tfrc"],
            [".terraformrc", ".terraform.d/a.tfrc.json"],
        ),
    ],
)
def test_each_program_reads_its_own_configuration(
    tmp_path: Path, product: str, files: list[str], read: list[str]
) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("provider_installation {\n}\n")
    env = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "xdg")}
    assert providers.cli_config_files(env, product) == [tmp_path / name for name in read]
    mirror = put_provider(tmp_path / "opt", host=providers.HOST_OF[product])
    source = providers.find_source(env, PLATFORM, product, prefixes=[mirror])
    assert source.mirror == (None if read else mirror)


def test_one_file_that_a_variable_names_replaces_all_others(tmp_path: Path) -> None:
    for name in (".terraformrc", "a.rc", "b.rc"):
        (tmp_path / name).touch()
    env = {"HOME": str(tmp_path), "TERRAFORM_CONFIG": str(tmp_path / "b.rc")}
    assert providers.cli_config_files(env) == [tmp_path / "b.rc"]
    env["TF_CLI_CONFIG_FILE"] = str(tmp_path / "a.rc")
    assert providers.cli_config_files(env) == [tmp_path / "a.rc"]


def test_what_terraform_login_has_written_is_kept_beside_a_mirror(tmp_path: Path) -> None:
    """A file of ours takes the place of the user's, and Terraform reads no JSON in it."""
    written = tmp_path / ".terraform.d/credentials.tfrc.json"
    written.parent.mkdir()
    written.write_text('{"credentials": {"app.terraform.io": {"token": "a"}}}')
    files = providers.cli_config_files({"HOME": str(tmp_path)})
    text = providers.cli_config_text(put_provider(tmp_path / "opt"), files)
    assert '"credentials" = {\n"app.terraform.io" = {\n"token" = "a"\n}\n}\n' in text


def test_a_damaged_json_file_is_left_to_terraform_to_explain(tmp_path: Path) -> None:
    config = tmp_path / "a.tfrc"
    config.write_text('{"credentials": {')
    text = providers.cli_config_text(put_provider(tmp_path / "opt"), [config])
    assert text.startswith('{"credentials": {\n')


def test_opentofu_has_a_folder_of_plugins_of_its_own(tmp_path: Path) -> None:
    host = providers.HOST_OF["OpenTofu"]
    put_provider(tmp_path / "data/opentofu/plugins", host=host)
    mirror = put_provider(tmp_path / "opt", host=host)
    env = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data"), "XDG_DATA_DIRS": "/no"}
    assert providers.find_source(env, PLATFORM, "OpenTofu", prefixes=[mirror]).mirror is None
    (tmp_path / ".terraform.d").mkdir()
    assert providers.find_source(env, PLATFORM, "OpenTofu", prefixes=[mirror]).mirror == mirror
