"""Terraform installs its provider from where tools.terraform.providers says."""

import json
import os
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

from tests.unit.terraform.test_providers import put_provider
from tools.terraform import providers
from tools.terraform.binary import Terraform


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
    platform = json.loads(run("version", "-json"))["platform"]
    host = providers.HOST_OF[terraform.product]
    mirror = put_provider(tmp_path / "mirror", platform, host)
    (tmp_path / "terraform.rc").write_text(providers.cli_config_text(mirror, (), host))
    (tmp_path / "main.tf").write_text('provider "aws" {}\n')
    # The stand-in is an empty file: that init installs it at all shows where it came from.
    assert "Installed hashicorp/aws v5.100.0" in run("init")


def test_what_must_be_downloaded_is_with_provider_downloaded(tmp_path: Path) -> None:
    # A packed mirror stands for the registry, which tests cannot count on: Terraform unpacks from
    # both into its plugin cache. The provider in it is an empty file, which init never starts.
    terraform = Terraform.find(os.environ, tmp_path / "settings")
    host = providers.HOST_OF[terraform.product]
    packed = tmp_path / "origin" / host / "hashicorp/aws"
    packed.mkdir(parents=True)
    archive = packed / f"terraform-provider-aws_5.100.0_{terraform.platform}.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("terraform-provider-aws_v5.100.0_x5", "")
    (tmp_path / "terraform.rc").write_text(providers.cli_config_text(tmp_path / "origin", (), host))
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
