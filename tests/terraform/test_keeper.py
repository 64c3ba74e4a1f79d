"""Providers that keep running: the real one, with Terraform, and without AWS."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

from tests.keeper import SIZE
from tests.trees import REPOSITORY
from tools.errors import UserError
from tools.hcl.scanning import LOCK_FILE, locked_versions
from tools.system.processes import start_time
from tools.terraform.binary import Terraform
from tools.terraform.installation import find_binary
from tools.terraform.keeper import VARIABLE, Keeper, find_provider
from tools.terraform.providers import HOST_OF

# The region comes from the environment, and nothing here calls AWS.
ROOT = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  access_key                  = "x"
  secret_key                  = "x"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}
variable "shown" { default = "" }
data "aws_region" "this" {}
output "region" { value = data.aws_region.this.name }
output "shown" { value = var.shown }
"""
# Of the program that TOOLS_TERRAFORM names, if it does.
_PRODUCT = "OpenTofu" if "tofu" in find_binary(os.environ).name else "Terraform"
ADDRESS = f"{HOST_OF[_PRODUCT]}/hashicorp/aws"


@dataclass(frozen=True)
class Root:
    """A root that init has prepared, the provider that it uses, and an environment for runs."""

    path: Path
    terraform: Terraform
    binary: Path
    env: dict[str, str]

    def run(
        self, env: Mapping[str, str], *arguments: str, terraform: Path | None = None
    ) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [terraform or self.terraform.binary, *arguments],
            cwd=self.path,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done

    def outputs(self, env: Mapping[str, str], terraform: Path | None = None) -> dict[str, str]:
        """The outputs that a plan says."""
        said = self.run(env, "plan", "-no-color", "-input=false", terraform=terraform).stdout
        return dict(re.findall(r'^  \+ (\w+) += "(.*)"$', said, re.MULTILINE))


@pytest.fixture(scope="module")
def root(terraform: Terraform, tmp_path_factory: pytest.TempPathFactory) -> Root:
    path = tmp_path_factory.mktemp("root")
    (path / "main.tf").write_text(ROOT)
    terraform.init(path, path / "init.log")
    version = locked_versions(path)[ADDRESS]
    binary = find_provider(path / ".terraform/providers", ADDRESS, version, terraform.platform)
    assert binary
    return Root(path, terraform, binary, {**terraform.env, "AWS_REGION": "eu-north-1"})


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    with Keeper(1) as keeper:
        yield keeper


@contextmanager
def lent(keeper: Keeper, binary: Path, env: Mapping[str, str]) -> Iterator[dict[str, str]]:
    with keeper.lease(binary, ADDRESS, env) as lease:
        yield lease.env


def attached(env: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(env[VARIABLE])[ADDRESS]
    return found


def pid(env: Mapping[str, str]) -> int:
    return int(attached(env)["Pid"])


def selections(root: Root, env: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = json.loads(root.run(env, "version", "-json").stdout)[
        "provider_selections"
    ]
    return found


def without_times(said: str) -> str:
    """What Terraform said, less how long each read took."""
    return re.sub(r"(?<=complete after )\d+m?s", "", said)


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 300  # however busy the machine is
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_runs_share_a_provider_and_plan_as_without(root: Root, keeper: Keeper) -> None:
    command = ("plan", "-no-color", "-input=false")
    plain = root.run(root.env, *command)
    with lent(keeper, root.binary, root.env) as first:
        kept = root.run(first, *command)
        assert 'region = "eu-north-1"' in kept.stdout
        assert without_times(kept.stdout) == without_times(plain.stdout)
        assert kept.stderr == plain.stderr  # no warning either
    with lent(keeper, root.binary, {**root.env, "TF_VAR_shown": "it"}) as second:
        assert root.outputs(second) == {"region": "eu-north-1", "shown": "it"}
        assert pid(second) == pid(first)


def test_a_run_gets_a_provider_of_its_own_environment(root: Root, keeper: Keeper) -> None:
    pids = []
    for region in ("us-west-2", "eu-north-1"):
        with lent(keeper, root.binary, {**root.env, "AWS_REGION": region}) as env:
            assert root.outputs(env)["region"] == region
            pids.append(pid(env))
    assert start_time(pids[0]) is None  # there is room for one
    assert start_time(pids[1])


def test_idle_providers_of_several_environments_stay(root: Root) -> None:
    with Keeper(2) as keeper:

        def lease(region: str) -> int:
            with lent(keeper, root.binary, {**root.env, "AWS_REGION": region}) as env:
                return pid(env)

        first, second = lease("us-west-2"), lease("eu-north-1")
        assert (lease("us-west-2"), lease("eu-north-1")) == (first, second)
        lease("eu-west-1")
        assert start_time(first) is None  # the one not used for longest
        assert lease("eu-north-1") == second


def test_what_else_is_attached_stays(root: Root, keeper: Keeper) -> None:
    env = {**root.env, VARIABLE: '{"example.com/a/b": {"Pid": 1}}'}
    with lent(keeper, root.binary, env) as leased:
        assert json.loads(leased[VARIABLE]) == {
            "example.com/a/b": {"Pid": 1},
            ADDRESS: attached(leased),
        }


def test_a_lease_waits_while_all_are_leased(root: Root, keeper: Keeper) -> None:
    happened: list[str] = []
    waiting = threading.Event()

    def lease() -> None:
        waiting.set()
        with lent(keeper, root.binary, root.env) as env:
            happened.append(f"leased {pid(env)}")

    with lent(keeper, root.binary, root.env) as env:
        thread = threading.Thread(target=lease)
        thread.start()
        waiting.wait()
        root.outputs(env)  # takes longer than another lease would
        happened.append(f"given back {pid(env)}")
    thread.join()
    assert happened == [f"given back {pid(env)}", f"leased {pid(env)}"]


def test_a_dead_provider_is_replaced(root: Root, keeper: Keeper) -> None:
    with lent(keeper, root.binary, root.env) as env:
        os.kill(pid(env), signal.SIGKILL)
    # Its guard does this when the last of its threads has ended, and with it the socket.
    until(lambda: not Path(attached(env)["Addr"]["String"]).parent.exists())
    with lent(keeper, root.binary, root.env) as second:
        assert root.outputs(second)["region"] == "eu-north-1"
        assert pid(second) != pid(env)


def test_close_ends_leased_and_idle_providers(root: Root) -> None:
    with Keeper(2) as keeper:
        with lent(keeper, root.binary, root.env) as idle:
            pass
        lease = lent(keeper, root.binary, {**root.env, "AWS_REGION": "us-west-2"})
        leased = lease.__enter__()
        sockets = [Path(attached(env)["Addr"]["String"]) for env in (idle, leased)]
        assert all(path.is_socket() for path in sockets)
        assert os.getsid(pid(leased)) != os.getsid(0)  # a terminal's Ctrl-C does not reach it
        keeper.close()
        lease.__exit__(None, None, None)
    assert [start_time(pid(env)) for env in (idle, leased)] == [None, None]
    assert not any(path.parent.exists() for path in sockets)
    with pytest.raises(RuntimeError), lent(keeper, root.binary, root.env):
        pass


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_provider_outlives_its_keeper(root: Root, number: signal.Signals) -> None:
    script = f"""if True:
        import os, pathlib, signal, time
        from tools.terraform.keeper import Keeper
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # no exception that would close it
        keeper = Keeper(1)
        lease = keeper.lease(pathlib.Path({str(root.binary)!r}), {ADDRESS!r}, os.environ)
        print(lease.__enter__().env[{VARIABLE!r}], flush=True)
        time.sleep(600)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=REPOSITORY,
        env=root.env,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    provider = attached({VARIABLE: process.stdout.readline()})
    assert start_time(provider["Pid"])
    process.send_signal(number)
    assert process.wait() == -number
    process.stdout.close()
    until(lambda: start_time(provider["Pid"]) is None)
    until(lambda: not Path(provider["Addr"]["String"]).parent.exists())


def test_a_provider_goes_on_for_a_terraform_that_outlives_the_keeper(root: Root) -> None:
    script = f"""if True:
        import os, pathlib, signal, subprocess
        from tools.terraform.keeper import Keeper
        keeper = Keeper(1)
        lease = keeper.lease(pathlib.Path({str(root.binary)!r}), {ADDRESS!r}, os.environ)
        env, descriptor = lease.__enter__()
        sleeper = subprocess.Popen(["sleep", "600"], pass_fds=[descriptor])
        print(env[{VARIABLE!r}], flush=True)
        print(sleeper.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=REPOSITORY,
        env=root.env,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    provider = attached({VARIABLE: process.stdout.readline()})
    sleeper = int(process.stdout.readline())
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()
    used = {**root.env, VARIABLE: json.dumps({ADDRESS: provider})}
    assert root.outputs(used)["region"] == "eu-north-1"  # takes longer than its end would
    os.kill(sleeper, signal.SIGKILL)
    until(lambda: start_time(provider["Pid"]) is None)


def test_what_served_a_run_that_failed_is_not_used_again(root: Root, keeper: Keeper) -> None:
    pids = []
    for _ in range(2):
        with suppress(KeyError), lent(keeper, root.binary, root.env) as env:
            pids.append(pid(env))
            raise KeyError
    assert len({*pids}) == 2
    assert start_time(pids[0]) is None


def test_a_provider_that_was_too_slow_is_started_again(
    root: Root, keeper: Keeper, tmp_path: Path
) -> None:
    # A stand-in for the first start: when the real one needs 2 seconds is not to be had at will.
    binary = tmp_path / "provider"
    binary.write_text(
        f"""#!/bin/sh
if mkdir {tmp_path}/tried; then
  echo 'Error: timeout waiting on reattach configuration'
  exit 1
fi
exec {root.binary} "$@"
"""
    )
    binary.chmod(0o755)
    with lent(keeper, binary, root.env) as env:
        assert root.outputs(env)["region"] == "eu-north-1"
    assert (tmp_path / "tried").is_dir()


def test_what_is_no_provider_is_refused(root: Root, keeper: Keeper, tmp_path: Path) -> None:
    with (
        pytest.raises(
            UserError, match=rf"{root.terraform.program} -debug did not start; it said: .+"
        ),
        lent(keeper, root.terraform.binary, root.env),
    ):
        pass
    with (
        pytest.raises(UserError, match="missing -debug did not start"),
        lent(keeper, tmp_path / "missing", root.env),
    ):
        pass
    with lent(keeper, root.binary, root.env):  # neither has taken a place for good
        pass


def test_init_and_version_know_nothing_of_an_attached_provider(
    root: Root, keeper: Keeper, tmp_path: Path
) -> None:
    (tmp_path / "main.tf").write_text(ROOT)
    new = Root(tmp_path, root.terraform, root.binary, root.env)
    with lent(keeper, root.binary, root.env) as env:
        new.run(env, "init", "-input=false")
        assert locked_versions(tmp_path) == {}
        assert selections(new, env) == {}
        assert selections(root, env) == selections(root, root.env) == locked_versions(root.path)


def test_the_binary_is_found_in_a_mirror_as_in_a_root(root: Root, tmp_path: Path) -> None:
    version, platform = locked_versions(root.path)[ADDRESS], root.terraform.platform
    place = tmp_path / "mirror" / ADDRESS / version / platform
    place.parent.mkdir(parents=True)
    place.symlink_to(root.binary.parent)
    assert find_provider(tmp_path / "mirror", ADDRESS, version, platform) == root.binary
    assert root.binary.is_file()
    assert not root.binary.is_relative_to(root.path)  # Terraform links it
    assert find_provider(tmp_path / "mirror", ADDRESS, "0.0.1", platform) is None
    assert find_provider(tmp_path / "nothing", ADDRESS, version, platform) is None


def test_the_suites_terraform_uses_kept_providers(
    root: Root, kept_terraform: Terraform, tmp_path: Path
) -> None:
    (tmp_path / "main.tf").write_text(ROOT)
    new = Root(tmp_path, kept_terraform, root.binary, root.env)
    new.run(root.env, "init", "-input=false")
    assert locked_versions(tmp_path) == locked_versions(root.path)
    lock = tmp_path / LOCK_FILE
    lock.write_text(re.sub(r'"h1:.*"', f'"h1:{"A" * 43}="', lock.read_text()))
    assert new.outputs(root.env)["region"] == "eu-north-1"
    # Which shows that it was a kept one: of a provider that it starts, Terraform checks the sum.
    with pytest.raises(AssertionError, match="checksum"):
        new.outputs(root.env, root.terraform.binary)


def test_the_system_takes_a_lease_back_from_a_terraform_that_is_killed(
    root: Root, kept_terraform: Terraform
) -> None:
    def is_terraform(pid: int) -> bool:
        return bool(psutil.Process(pid).exe() == str(root.terraform.binary.resolve()))

    consoles = [
        subprocess.Popen(
            [kept_terraform.binary, "console"],
            cwd=root.path,
            env=root.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(SIZE)
    ]
    for console in consoles:
        until(partial(is_terraform, console.pid))  # which then holds a lease
        assert console.stdin
        assert console.stdout
        console.kill()
        console.wait()
        console.stdin.close()
        console.stdout.close()
    assert root.outputs(root.env, kept_terraform.binary)["region"] == "eu-north-1"
