"""The lifecycle configuration: what Terraform renders of it, and what bash makes of that."""

import ast
import base64
import json
import os
import re
import signal
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from string import ascii_letters, digits
from typing import Any

import botocore.session
import pytest
import yaml
from tftest import TerraformPlanOutput

from tests.roles import TRUST
from tests.terraform.harness import Chain, Tree, outputs

from .jupyter import until
from .scripts import (
    AWKWARD,
    CALLS,
    CONFIGURATION,
    INCOMPRESSIBLE,
    TAKEN_OVER,
    Rendered,
    arguments,
    rendered,
    run,
    unpacked,
)
from .service import SCRIPT

OWN_PARTS = "".join(f"{part}: starts\n{part}: done\n" for part in ("auto-stop", "environment"))
# Jupyter has them after a restart, if it runs already; the start must not wait for it.
OF_ENVIRONMENT = [
    "daemon-reload",
    "--no-block try-restart jupyter-server",
    "restart systemd-sysctl",
]
SERVICES = ("iam", "ec2", "sagemaker")


@cache
def aws_limit() -> int:
    model = botocore.session.get_session().get_service_model("sagemaker")
    return int(model.shape_for("NotebookInstanceLifecycleConfigContent").metadata["max"])


def test_nothing_to_run_needs_no_lifecycle_configuration(lifecycle: Rendered) -> None:
    assert lifecycle["nothing"] is None


@pytest.mark.parametrize("call", sorted(set(CALLS) - {"nothing"}))
@pytest.mark.parametrize("event", ["on_create", "on_start"])
def test_scripts_are_within_aws_limit(lifecycle: Rendered, call: str, event: str) -> None:
    assert 1 <= len(base64.b64encode(lifecycle[call][event].encode())) <= aws_limit()


def test_each_script_is_taken_up_to_the_limit_and_then_refused(
    tree: Tree, lifecycle_plan: TerraformPlanOutput
) -> None:
    """AWS's bound is on base64. What is carried as it is meets it to the byte; what is packed with
    the auto-stop has at least the room that the plan states, and is taken as long as it fits."""
    alone, beside = (
        outputs(lifecycle_plan, call)["lifecycle_script_room"]["on_start"]
        for call in ("hash-alone", "hash-beside")
    )
    sizes = {f"beside-{size}": size for size in range(beside, 3 * beside // 2, 100)}
    calls = {
        f"alone-{size}": {"idle_stop_minutes": 0, "on_start": "#" + NOISE[:size]}
        for size in (alone, alone + 1)
    }
    calls |= {call: {"on_start": "#" + NOISE[:size]} for call, size in sizes.items()}

    stack = tree.write_calls("limit", {call: arguments(call, calls[call]) for call in calls})
    refused = dict(map(refusal, tree.refusals(stack)["lifecycle"]))
    assert set(refused) - set(sizes) == {f"alone-{alone + 1}"}
    refused_sizes = sorted(sizes[call] for call in set(refused) & set(sizes))
    taken_sizes = sorted(sizes[call] for call in set(sizes) - set(refused))
    assert beside == taken_sizes[0]
    assert taken_sizes[-1] < refused_sizes[0]
    # A character of the text takes 16/9 at most, as base64 within base64.
    assert aws_limit() < refused[f"beside-{refused_sizes[0]}"] < aws_limit() + 178

    planned = rendered(
        tree, "within-limit", {call: calls[call] for call in calls if call not in refused}
    )
    assert len(planned[f"alone-{alone}"]["on_start"]) == aws_limit() * 3 // 4


NOISE = "".join(Random(20_000).choices(f"{ascii_letters}{digits}-_", k=20_000))
"""Text that does not compress beyond the 6 bits that each of its characters holds."""


def refusal(said: str) -> tuple[str, int]:
    """The notebook that is refused, and the characters that its script would have."""
    words = re.search(
        r"on_start of notebook (\S+) is too long: with the module's own part it is (\d+) characters"
        rf" of base64, and AWS takes {aws_limit()}; shorten it, or let it fetch the rest from S3",
        said,
    )
    assert words, said
    return words[1], int(words[2])


def test_script_with_a_nul_is_refused(tree: Tree) -> None:
    """bash would drop it on the way, and what arrives is what was written."""
    calls = {name: arguments(name, {name: "echo \0"}) for name in ("on_create", "on_start")}
    refused = tree.refusals(tree.write_calls("nul", calls))
    assert {
        call: any(f"The {call} must be text" in text for text in said)
        for call, said in refused.items()
    } == {"on_create": True, "on_start": True}


def test_autostop_runs_on_the_oldest_python_of_notebook_instances() -> None:
    """Python 3.7 is Amazon Linux 2's, 3.9 is Amazon Linux 2023's; 3.6 is what we promise."""
    for file in SCRIPT.glob("*.py"):
        ast.parse(file.read_text(), feature_version=(3, 6))


def test_start_installs_and_starts_the_service(lifecycle: Rendered, tmp_path: Path) -> None:
    started = run(lifecycle["five-minutes"]["on_start"], tmp_path)
    assert (started.exit_code, started.output) == (0, OWN_PARTS)
    assert started.systemctl == [
        "daemon-reload",
        "enable notebook-autostop",
        "restart notebook-autostop",
        *OF_ENVIRONMENT,
    ]
    assert started.unit["ExecStart"].endswith("/autostop --idle-seconds 300 --processes")
    assert started.unit["Restart"] == "always"
    for file in SCRIPT.glob("*.py"):
        if file.name != "backup.py":
            installed = (started.parts / "autostop" / file.name).read_text()
            assert not [line for line in installed.splitlines() if line.lstrip().startswith("#")]
            lines = file.read_text().splitlines()
            without = "\n".join(line for line in lines if not line.endswith("  # backup"))
            assert code(installed) == code(without)


def test_with_a_backup_every_line_of_auto_stop_is_installed(
    lifecycle: Rendered, tmp_path: Path
) -> None:
    started = run(lifecycle["backup"]["on_start"], tmp_path)
    for file in SCRIPT.glob("*.py"):
        installed = (started.parts / "autostop" / file.name).read_text()
        assert code(installed) == code(file.read_text())


def code(script: str) -> str:
    """What of it Python runs, which leaves out comments, and docstrings."""
    tree = ast.parse(script)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node
        ):
            del node.body[0]
    return ast.dump(tree)


def test_the_sdk_of_an_isolated_notebook_lists_its_own_prefix(
    lifecycle: Rendered, tmp_path: Path
) -> None:
    """The file and its keys are the SDK's (sagemaker 2.254.1, sagemaker/config/config_schema.py),
    and with the prefix it does not call HeadBucket (sagemaker/session.py,
    general_bucket_check_if_user_has_permission). tests/iam decides that the list is allowed."""
    started = run(lifecycle["isolated"]["on_start"], tmp_path)
    assert (started.exit_code, started.output) == (0, "environment: starts\nenvironment: done\n")
    settings = yaml.safe_load((tmp_path / "etc/xdg/sagemaker/config.yaml").read_text())
    session = {"DefaultS3ObjectKeyPrefix": "users/isolated/"}
    assert settings == {
        "SchemaVersion": "1.0",
        "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True, "Session": session}}},
    }


def test_what_has_no_route_fails_within_seconds(
    lifecycle: Rendered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By these settings botocore gives a connection 1.1 s, three times, not 60 s, five times,
    and asks the region's STS: so it says itself."""
    started = run(lifecycle["default"]["on_start"], tmp_path)
    profile = tmp_path / "etc/profile.d/notebook-environment.sh"
    script = f'unset AWS_REGION AWS_DEFAULT_REGION; . "{profile}"; env'
    env = {"PATH": os.environ["PATH"]}
    said = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, check=True, timeout=300, env=env
    )
    settings = dict(line.split("=", 1) for line in said.stdout.splitlines() if line[:4] == "AWS_")
    unit = (tmp_path / "etc/systemd/system/jupyter-server.service.d/environment.conf").read_text()
    for_service = dict(setting.split("=") for setting in unit.split("=", 1)[1].split())
    assert for_service == settings
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    client = botocore.session.Session().create_client("sts")
    assert client.meta.region_name == "us-east-1"
    assert client.meta.endpoint_url == "https://sts.us-east-1.amazonaws.com"
    assert client.meta.config.connect_timeout < 2
    assert client.meta.config.retries["mode"] == "standard"  # three attempts
    sysctl = (tmp_path / "etc/sysctl.d/90-notebook.conf").read_text()
    assert sysctl == "net.ipv4.tcp_syn_retries = 2\n"
    sdk = yaml.safe_load((tmp_path / "etc/xdg/sagemaker/config.yaml").read_text())
    assert sdk["SageMaker"] == {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}
    assert started.systemctl[-len(OF_ENVIRONMENT) :] == OF_ENVIRONMENT


def test_start_downloads_nothing(lifecycle: Rendered, tmp_path: Path) -> None:
    """A notebook has no way to the internet: whatever asked for it would fail or hang there.

    Programs that fetch are first on the PATH and fail, and write down that they were called.
    """
    called = tmp_path / "called"
    for program in ("aws", "conda", "curl", "dnf", "git", "pip", "pip3", "wget", "yum"):
        stand_in = tmp_path / "commands" / program
        stand_in.parent.mkdir(exist_ok=True)
        stand_in.write_text(f'#!/bin/bash\necho "$0" >>"{called}"\nexit 7\n')
        stand_in.chmod(0o755)
    started = run(lifecycle["default"]["on_start"], tmp_path)
    assert (started.exit_code, started.output) == (0, OWN_PARTS)
    assert not called.exists()
    addresses = {
        node.value
        for file in (started.parts / "autostop").glob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and str(node.value).startswith("http")
    }
    assert addresses == {"https://localhost:8443"}


def test_second_start_replaces_what_the_first_installed(
    lifecycle: Rendered, tmp_path: Path
) -> None:
    run(lifecycle["default"]["on_start"], tmp_path)
    again = run(lifecycle["five-minutes"]["on_start"], tmp_path)
    assert again.exit_code == 0
    assert " --idle-seconds 300 " in again.unit["ExecStart"]


def test_processes_are_not_weighed_where_the_variable_says_so(
    lifecycle: Rendered, tmp_path: Path
) -> None:
    started = run(lifecycle["without-processes"]["on_start"], tmp_path)
    assert started.unit["ExecStart"].endswith("/autostop --idle-seconds 3600")


def test_without_idle_time_no_service_is_installed(lifecycle: Rendered, tmp_path: Path) -> None:
    started = run(lifecycle["create-only"]["on_start"], tmp_path)
    assert (started.exit_code, started.output, started.systemctl) == (0, "", [])
    created = run(lifecycle["create-only"]["on_create"], tmp_path)
    assert created.output == "on-create: starts\ncreated\non-create: done\n"


@pytest.mark.parametrize("event", ["on_create", "on_start"])
def test_any_text_of_a_script_arrives_as_it_was_written(
    lifecycle: Rendered, tmp_path: Path, event: str
) -> None:
    done = run(lifecycle["awkward"][event], tmp_path)
    part = event.replace("_", "-")
    assert (done.parts / part).read_text() == AWKWARD
    assert (done.parts / part).stat().st_mode & 0o777 == 0o700
    expected = 'don\'t "say" `this` $HOME ${x} %% \\ ünïcödé 日本 🙂\n'
    assert (tmp_path / "said").read_text() == expected
    assert done.output.endswith(f"{part}: starts\n{part}: done\n")


def test_script_of_a_windows_editor_runs(lifecycle: Rendered, tmp_path: Path) -> None:
    done = run(lifecycle["windows"]["on_start"], tmp_path)
    assert (done.parts / "on-start").read_text() == AWKWARD
    assert done.output == "on-start: starts\non-start: done\n"


@pytest.mark.parametrize(("call", "said"), [("python", "python "), ("no-interpreter", "bash\n")])
def test_script_runs_in_its_own_interpreter_and_in_bash_without_one(
    lifecycle: Rendered, tmp_path: Path, call: str, said: str
) -> None:
    done = run(lifecycle[call]["on_start"], tmp_path)
    assert done.output.startswith(f"on-start: starts\n{said}")
    assert done.output.endswith("on-start: done\n")


def test_failing_script_is_logged_and_the_notebook_starts_with_its_auto_stop(
    lifecycle: Rendered, tmp_path: Path
) -> None:
    done = run(lifecycle["fails"]["on_start"], tmp_path)
    assert done.exit_code == 0
    assert "on-start: starts\nbefore\non-start: exit code 1 " in done.output
    assert "after" not in done.output
    assert "restart notebook-autostop" in done.systemctl


def test_script_without_its_interpreter_is_logged(lifecycle: Rendered, tmp_path: Path) -> None:
    done = run(lifecycle["no-such-interpreter"]["on_start"], tmp_path)
    assert done.exit_code == 0
    assert "on-start: exit code 127 " in done.output


def test_hanging_script_is_killed_with_what_it_started(lifecycle: Rendered, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    for seconds in ("0.5", "5", "50"):
        done = run(lifecycle["hangs"]["on_create"], tmp_path, NOTEBOOK_PART_SECONDS=seconds)
        if pid.exists():  # a busy machine may need longer until the script has begun
            break
    assert done.exit_code == 0
    assert "on-create: exit code 137 (124, 137: too slow)" in done.output
    until(lambda: not Path("/proc", pid.read_text().strip()).exists())


def test_parts_end_before_aws_ends_the_script(lifecycle: Rendered) -> None:
    """300 s is AWS's; `timeout -k 5` lets a part live 5 s beyond its limit."""
    for call, event in (("awkward", "on_start"), ("awkward", "on_create")):
        limits = [
            int(line.split()[2])
            for line in unpacked(lifecycle[call][event]).splitlines()
            if line.startswith("part ")
        ]
        assert 0 < sum(limit + 5 for limit in limits) < 300


def test_script_that_waits_for_input_gets_none(lifecycle: Rendered, tmp_path: Path) -> None:
    assert "no input\non-start: done\n" in run(lifecycle["reads"]["on_start"], tmp_path).output


def test_what_a_script_leaves_running_runs_on(lifecycle: Rendered, tmp_path: Path) -> None:
    """AWS advises `nohup … &` for what takes longer than 5 minutes."""
    done = run(lifecycle["leaves-running"]["on_start"], tmp_path)
    pid = int((tmp_path / "pid").read_text())
    try:
        assert done.output == "on-start: starts\non-start: done\n"
        assert Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    finally:
        os.kill(pid, signal.SIGKILL)


def test_service_that_does_not_start_is_logged_and_the_users_script_runs(
    lifecycle: Rendered, tmp_path: Path
) -> None:
    done = run(lifecycle["awkward"]["on_start"], tmp_path, systemctl="exit 5")
    assert done.exit_code == 0
    assert "auto-stop: exit code 5 " in done.output
    assert (tmp_path / "said").exists()


def test_folder_that_cannot_be_written_does_not_keep_the_notebook_from_starting(
    lifecycle: Rendered, tmp_path: Path
) -> None:
    (tmp_path / "opt").write_text("in the way")
    done = run(lifecycle["awkward"]["on_start"], tmp_path)
    assert done.exit_code == 0
    assert "auto-stop: cannot write " in done.output
    assert "on-start: cannot write " in done.output


def test_longest_promised_script_runs(lifecycle: Rendered, tmp_path: Path) -> None:
    done = run(lifecycle["long"]["on_start"], tmp_path)
    assert done.exit_code == 0
    assert (done.parts / "on-start").read_text() == INCOMPRESSIBLE


@pytest.mark.parametrize("event", ["on_create", "on_start"])
def test_longest_script_without_auto_stop_runs(
    lifecycle: Rendered, tmp_path: Path, event: str
) -> None:
    """15,596 characters of base64, legal and of a kind that gzip shortens by a quarter at most."""
    done = run(lifecycle["taken-over"][event], tmp_path)
    part = event.replace("_", "-")
    assert done.output == f"{part}: starts\n{part}: done\n"
    assert (done.parts / part).read_text() == TAKEN_OVER
    assert len(base64.b64encode(TAKEN_OVER.encode())) == 15_596


@pytest.mark.parametrize(("event", "end"), [("on_create", "one\n\n\n"), ("on_start", "echo none")])
def test_script_arrives_with_the_newlines_it_ends_in(
    lifecycle: Rendered, tmp_path: Path, event: str, end: str
) -> None:
    done = run(lifecycle["ends-oddly"][event], tmp_path)
    assert (done.parts / event.replace("_", "-")).read_text().endswith(end)


def test_packed_script_that_cannot_be_unpacked_does_not_keep_the_notebook_from_starting(
    lifecycle: Rendered, tmp_path: Path
) -> None:
    broken = lifecycle["long"]["on_start"].replace("H4sI", "AAAA")
    assert broken != lifecycle["long"]["on_start"]
    done = run(broken, tmp_path)
    assert done.exit_code == 0
    assert "gzip" in done.output


@pytest.mark.nightly
def test_changed_script_is_an_update_in_place_and_none_takes_it_away(
    tree: Tree, client: Callable[..., Any]
) -> None:
    """Applied with a notebook: a configuration cannot be deleted while one uses it, and the
    provider says nothing when it could not."""
    iam, ec2, sagemaker = (client(name, account=tree.account) for name in SERVICES)
    role = iam.create_role(RoleName="in-place", AssumeRolePolicyDocument=json.dumps(TRUST))
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    group = ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]
    place = {
        "role_arn": role["Role"]["Arn"],
        "subnet_id": subnet,
        "security_group_ids": [group],
    }

    def write(**own: Any) -> str:
        return tree.write_calls("in-place", {"this": {**arguments("in-place", own), **place}})

    with Chain(tree) as chain:
        stack = write(on_start="echo one")
        chain.apply(stack)
        write(on_start="echo two")
        changes = tree.changes(stack)
        changes.pop("output.this", None)  # the room that is left
        assert changes == {f"module.this.{CONFIGURATION}": "update"}
        write(idle_stop_minutes=0)
        chain.apply(stack)
        left = sagemaker.list_notebook_instance_lifecycle_configs()
        assert left["NotebookInstanceLifecycleConfigs"] == []
