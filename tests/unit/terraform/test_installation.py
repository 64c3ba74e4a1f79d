"""Which binary is run, of which version, and with which environment."""

import os
import re
from pathlib import Path

import pytest

from tools.errors import UserError
from tools.terraform.installation import (
    child_environment,
    find_binary,
    read_version,
    refuse_elsewhere,
)


def program(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def version(number: str) -> str:
    return f'echo \'{{"terraform_version": "{number}", "platform": "linux_amd64"}}\''


def test_terraform_comes_before_tofu(tmp_path: Path) -> None:
    env = {"PATH": f"{tmp_path}/a{os.pathsep}{tmp_path}/b"}
    with pytest.raises(UserError, match="neither terraform nor tofu is on PATH; install it: https"):
        find_binary(env)
    tofu = program(tmp_path / "a/tofu")
    assert find_binary(env) == tofu
    terraform = program(tmp_path / "b/terraform")
    assert find_binary(env) == terraform


def test_the_one_that_is_named_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terraform = program(tmp_path / "bin/terraform")
    mine = program(tmp_path / "mine/tofu")
    env = {"PATH": str(terraform.parent), "TOOLS_TERRAFORM": str(mine)}
    assert find_binary(env) == mine
    monkeypatch.chdir(tmp_path)
    assert find_binary({**env, "TOOLS_TERRAFORM": "mine/tofu"}) == mine
    with pytest.raises(UserError, match="TOOLS_TERRAFORM names nowhere, which is not a program"):
        find_binary({**env, "TOOLS_TERRAFORM": "nowhere"})


def test_the_version_of_a_binary(tmp_path: Path) -> None:
    binary = program(tmp_path / "terraform", version("1.11.4"))
    assert read_version(binary, os.environ, tmp_path / "scratch") == ((1, 11, 4), "linux_amd64")
    # A script may start another one tomorrow.
    program(binary, version("1.12.0-rc1"))
    assert read_version(binary, os.environ, tmp_path / "scratch") == ((1, 12, 0), "linux_amd64")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (version("0.15.5"), "is Terraform 0.15.5; 1.0 or later is needed: install it: https://"),
        (version("dev"), "is Terraform dev; 1.0 or later is needed"),
        ("echo no", "does not tell its version as Terraform does; install it: https://"),
        ("exit 1", "does not tell its version as Terraform does"),
        ("echo '[]'", "does not tell its version as Terraform does"),
    ],
)
def test_a_binary_of_no_use_is_refused(tmp_path: Path, answer: str, message: str) -> None:
    binary = program(tmp_path / "terraform", answer)
    with pytest.raises(UserError, match=re.escape(f"{binary} {message}")):
        read_version(binary, os.environ, tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("TF_WORKSPACE", "staging", "unset TF_WORKSPACE"),
        ("TF_WORKSPACE", "default", "unset TF_WORKSPACE"),  # whatever .terraform/environment says
        ("TF_DATA_DIR", ".tf", "unset TF_DATA_DIR"),
        ("TF_CLI_ARGS", "-state=x", "has the option -state,"),
        ("TF_CLI_ARGS_state_list", "-lock=false --state x", "has the option -state,"),
        ("TF_CLI_ARGS_apply", "'-state-out=x y'", "Take it out of TF_CLI_ARGS_apply"),
        ("TF_CLI_ARGS_destroy", "-backup=-", "has the option -backup,"),
        ("TF_CLI_ARGS_plan", "-chdir=/tmp", "has the option -chdir,"),
        ("TF_CLI_ARGS_plan", "-state=x 'unfinished", "has the option -state,"),
    ],
)
def test_what_leads_to_another_state_is_refused(name: str, value: str, words: str) -> None:
    with pytest.raises(UserError, match=rf"^{name} .*{words}"):
        refuse_elsewhere({"HOME": "/nowhere", name: value})


@pytest.mark.parametrize(
    ("name", "value", "option"),
    [
        ("TF_CLI_ARGS", "-help", "help"),
        ("TF_CLI_ARGS_apply", "-h", "h"),
        ("TF_CLI_ARGS", "-no-color --version", "version"),
        ("TF_CLI_ARGS_plan", "-target=terraform_data.x", "target"),
        ("TF_CLI_ARGS_plan", "-exclude terraform_data.x", "exclude"),
        ("TF_CLI_ARGS_apply", "-refresh-only", "refresh-only"),
        ("TF_CLI_ARGS_plan", "-replace=terraform_data.a", "replace"),
        ("TF_CLI_ARGS_plan", "-destroy", "destroy"),
        ("TF_CLI_ARGS_plan", "-out=x", "out"),
    ],
)
def test_what_makes_terraform_do_something_else_is_refused(
    name: str, value: str, option: str
) -> None:
    """Its exit code 0 would be taken for an apply of the whole stack."""
    with pytest.raises(UserError, match=rf"^{name} has the option -{option}, with which"):
        refuse_elsewhere({"HOME": "/nowhere", name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TF_WORKSPACE", ""),  # which Terraform takes for none
        ("TF_CLI_ARGS", "-lock-timeout=5s -var=state=x -stateful"),
        ("TF_CLI_ARGS_init", "-backend-config=path=x"),
        ("TF_CLI_ARGS_plan", "-var=target=x -refresh=false -compact-warnings"),
        ("TF_VAR_args", "-state=x"),
    ],
)
def test_what_leads_nowhere_else_is_the_user_s_own_choice(name: str, value: str) -> None:
    refuse_elsewhere({"HOME": "/nowhere", name: value})


def test_what_would_lead_to_another_state_is_left_out() -> None:
    env = {"TF_WORKSPACE": "other", "TF_DATA_DIR": "data", "TF_VAR_a": "1", "HOME": "/nowhere"}
    child = child_environment(env)
    assert "TF_WORKSPACE" not in child
    assert "TF_DATA_DIR" not in child
    assert child["TF_VAR_a"] == "1"
    assert (child["TF_IN_AUTOMATION"], child["CHECKPOINT_DISABLE"]) == ("1", "1")


def test_the_user_s_garbage_collection_is_kept() -> None:
    assert child_environment({"HOME": "/nowhere"})["GOGC"] == "400"
    assert child_environment({"HOME": "/nowhere", "GOGC": "100"})["GOGC"] == "100"


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ("-auto-approve", ""),
        ("--auto-approve=true -lock=false", "-lock=false"),
        ("-parallelism=2 -auto-approve", "-parallelism=2"),
        ("-var=x=-auto-approve-not", "-var=x=-auto-approve-not"),
        # Terraform splits them as a shell does.
        ('"-auto-approve"', ""),
        (r"\-auto-approve -var 'x=a b'", "-var 'x=a b'"),
        ("-auto''-approve=1 -lock=false", "-lock=false"),
    ],
)
@pytest.mark.parametrize("name", ["TF_CLI_ARGS", "TF_CLI_ARGS_apply"])
def test_terraform_asks_whatever_the_user_s_options_say(name: str, options: str, kept: str) -> None:
    assert child_environment({"HOME": "/nowhere", name: options})[name] == kept


@pytest.mark.parametrize("name", ["TF_CLI_CONFIG_FILE", "TERRAFORM_CONFIG"])
def test_a_configuration_file_that_is_missing_is_not_named(tmp_path: Path, name: str) -> None:
    config = tmp_path / "terraform.rc"
    env = {"HOME": str(tmp_path), name: str(config)}
    assert name not in child_environment(env)
    config.touch()
    assert child_environment(env)[name] == str(config)
