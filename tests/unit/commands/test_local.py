"""`tools local status` and `env` in a shell; tests/localcloud starts LocalStack itself."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.commands.conftest import Checkout
from tools.localcloud.client import environment


def exports(text: str, **before: str) -> dict[str, str]:
    """The variables of a shell that had `before` and has evaluated `text`: sh's own answer."""
    done = subprocess.run(
        ["/bin/sh", "-euc", f"{text}\nenv -0"],
        env=before,
        capture_output=True,
        text=True,
        check=True,
    )
    pairs = [line.partition("=")[::2] for line in done.stdout.split("\0") if line]
    return {name: value for name, value in pairs if name not in ("_", "PWD", "SHLVL", "OLDPWD")}


def test_where_it_runs_is_one_line_on_stdout(attached: Checkout, moto: str) -> None:
    done = attached.tools("local", "status")
    assert (done.returncode, done.stdout) == (0, f"{moto}\n")
    assert done.stderr == f"process {os.getpid()}\n"


def test_that_it_does_not_run_is_said_with_the_command_that_starts_it(checkout: Checkout) -> None:
    done = checkout.tools("local", "status")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "The local cloud does not run. Start it: tools local up\n"


def test_what_env_sets_unset_takes_back(attached: Checkout, moto: str) -> None:
    mine = {"PATH": "/bin", "AWS_PROFILE": "mine", "EDITOR": "vi"}
    told = attached.tools("local", "env", **mine)
    assert told.returncode == 0, told.stderr
    assert "yours, and not set again by --unset:" in told.stderr
    assert "AWS_PROFILE" in told.stderr
    shell = exports(told.stdout, **mine)
    assert shell["AWS_ENDPOINT_URL"] == moto
    assert "AWS_PROFILE" not in shell
    undone = attached.tools("local", "env", "--unset", **shell)
    assert (undone.returncode, undone.stderr) == (0, "")
    left = exports(undone.stdout, **shell)
    left.pop("NO_PROXY")  # which may have held the host before
    assert left == {"PATH": "/bin", "EDITOR": "vi"}


def test_the_configuration_that_names_our_mirror_is_taken_back_and_no_other(
    attached: Checkout, tmp_path: Path
) -> None:
    mirror = tmp_path / "mirror"
    found = mirror / "registry.terraform.io/hashicorp/aws/5.100.0/linux_amd64"
    found.mkdir(parents=True)
    (found / "terraform-provider-aws_v5.100.0_x5").touch()
    del attached.env["TF_CLI_ARGS_init"]  # which says where the provider is
    shell = exports(attached.tools("local", "env", TF_PLUGIN_CACHE_DIR=str(mirror)).stdout)
    ours = Path(shell["TF_CLI_CONFIG_FILE"])
    assert ours == attached.root / ".tools/terraform.rc"
    assert str(mirror) in ours.read_text()
    assert "unset TF_CLI_CONFIG_FILE\n" in attached.tools("local", "env", "--unset", **shell).stdout
    theirs = {**shell, "TF_CLI_CONFIG_FILE": str(tmp_path / "terraform.rc")}
    unset = attached.tools("local", "env", "--unset", **theirs).stdout
    assert "unset AWS_ENDPOINT_URL\n" in unset
    assert "TF_CLI_CONFIG_FILE" not in unset


@pytest.mark.parametrize("mine", [{}, {"AWS_ENDPOINT_URL": "https://vpce-1.amazonaws.com"}])
def test_a_shell_of_which_nothing_is_ours_is_left_as_it_is(
    checkout: Checkout, mine: dict[str, str]
) -> None:
    done = checkout.tools("local", "env", "--unset", **mine)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "This shell has none of the local cloud's variables.\n"


def test_without_a_terraform_aws_and_boto3_reach_it_all_the_same(
    attached: Checkout, moto: str, tmp_path: Path
) -> None:
    del attached.env["TOOLS_TERRAFORM"]
    (tmp_path / "bin").mkdir()
    git = shutil.which("git")
    assert git
    (tmp_path / "bin/git").symlink_to(git)
    done = attached.tools("local", "env", PATH=str(tmp_path / "bin"))
    assert done.returncode == 0, done.stderr
    shell = exports(done.stdout)
    assert shell["AWS_ENDPOINT_URL"] == moto
    assert "TF_CLI_CONFIG_FILE" not in shell


def test_unset_undoes_what_env_has_set_and_nothing_of_the_user(checkout: Checkout) -> None:
    """NO_PROXY stays: the user may have had the address in it before."""
    ours = environment("http://127.0.0.1:4600", "eu-west-1", env={})
    users = {"AWS_MAX_ATTEMPTS": "9", "AWS_PROFILE": "production"}
    done = checkout.tools("local", "env", "--unset", **{**ours, **users})
    assert (done.returncode, done.stderr) == (0, "")
    undone = sorted(ours.keys() - users.keys() - {"NO_PROXY"})
    assert done.stdout.splitlines() == [f"unset {name}" for name in undone]


def test_what_is_not_installed_is_said_with_how_to_install_it(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "localstack", None)  # as if it were not there
    done = checkout.tools("local", "up")
    assert done.returncode == 1
    assert done.stderr.startswith("error: LocalStack is not installed; run `make setup` in the rep")
    assert done.stderr.count("\n") == 1
