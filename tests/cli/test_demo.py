"""The demo from a clean clone, and what a user does next by hand."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Checkout, attach, user_env
from tests.remote_state.conftest import make_bucket
from tests.terraform.chain import check_deployed
from tests.trees import copy_repository
from tools.localcloud.client import environment
from tools.localcloud.process import Running
from tools.state.backend import Backend
from tools.terraform.binary import Terraform
from tools.terraform.installation import BINARY_VARIABLE

NAMES = ("nlp-project", "notebook-dev", "notebook-prod")
PURPOSE = r"Alice's \"trial\" of $${models}\n100 %%{ x } C:\\dir é"  # as HCL writes it
SAID = 'Alice\'s "trial" of ${models}\n100 %{ x } C:\\dir é'


class Demo:
    """A clone in which `tools demo` has run, and a shell with the local cloud's exports."""

    def __init__(self, checkout: Checkout, running: Running) -> None:
        self.checkout = checkout
        for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"]):
            identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
            assert checkout.run("git", *identity, *command).returncode == 0
        self.ran = checkout.tools("demo")
        env = {**checkout.env, **environment(running.endpoint)}
        self.shell = replace(checkout, root=checkout.root / ".tools/local/workspace", env=env)

    def terraform(self, notebook: str, *arguments: str) -> Any:
        binary = self.shell.env[BINARY_VARIABLE]
        return self.shell.run(binary, *arguments, cwd=f"notebooks/{notebook}")

    def apply(self, notebook: str) -> None:
        for arguments in (["init", "-input=false"], ["apply", "-auto-approve", "-input=false"]):
            done = self.terraform(notebook, *arguments)
            assert done.returncode == 0, done.stdout + done.stderr

    def outputs(self) -> dict[str, dict[str, Any]]:
        """The outputs of every stack by its name, from the states."""
        found = {}
        for stack in ("shared-infra", "notebooks"):
            for state in (self.shell.root / stack).glob("*/terraform.tfstate"):
                outputs = json.loads(state.read_text())["outputs"]
                found[state.parent.name] = {name: o["value"] for name, o in outputs.items()}
        return found

    def actions(self, notebook: str) -> dict[str, list[str]]:
        """What a plan would do in a notebook: resource to actions, but for no-ops."""
        assert self.terraform(notebook, "plan", "-input=false", "-out=p").returncode == 0
        shown = json.loads(self.terraform(notebook, "show", "-json", "p").stdout)
        return {
            change["address"].removeprefix("module.notebook."): change["change"]["actions"]
            for change in shown["resource_changes"]
            if change["change"]["actions"] != ["no-op"]
        }


@pytest.fixture(scope="module")
def demo(
    local_cloud: Running, kept_terraform: Terraform, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Demo]:
    root = tmp_path_factory.mktemp("clone")
    env = {**user_env(kept_terraform), BINARY_VARIABLE: str(kept_terraform.binary)}
    checkout = Checkout(copy_repository(root), env)
    attach(checkout, local_cloud)
    made = Demo(checkout, local_cloud)
    yield made
    gone = checkout.tools("destroy", "--local")
    assert gone.returncode == 0, gone.stderr


def test_everything_is_deployed_and_shown_with_its_url(demo: Demo) -> None:
    assert demo.ran.returncode == 0, demo.ran.stderr
    for name in NAMES:
        row = next(line for line in demo.ran.stdout.splitlines() if f"notebooks/{name} " in line)
        assert "InService" in row
        assert f"https://{name}-" in row
    for output in ("demo-datasets", "demo-models", ":role/demo-notebook", "sg-", "vpce-"):
        assert output in demo.ran.stdout


def test_the_clone_is_as_it_was(demo: Demo) -> None:
    assert demo.checkout.run("git", "status", "--porcelain", "--ignored").stdout == "!! .tools/\n"


def test_the_instances_are_what_their_values_say(demo: Demo, client: Callable[..., Any]) -> None:
    sagemaker = client("sagemaker")
    types = {"notebook-dev": "ml.t3.medium", "notebook-prod": "ml.m5.2xlarge"}
    for name, instance_type in types.items():
        instance = sagemaker.describe_notebook_instance(NotebookInstanceName=name)
        assert instance["InstanceType"] == instance_type
        assert instance["DirectInternetAccess"] == instance["RootAccess"] == "Disabled"
        tags = sagemaker.list_tags(ResourceArn=instance["NotebookInstanceArn"])["Tags"]
        assert {"Key": "Stack", "Value": f"notebooks/{name}"} in tags


def test_role_network_and_notebooks_are_what_the_outputs_say(
    demo: Demo, client: Callable[..., Any]
) -> None:
    check_deployed(demo.outputs(), client)


def test_status_agrees_with_what_was_deployed(demo: Demo) -> None:
    done = demo.checkout.tools("status", "--local", "--json")
    assert done.returncode == 0, done.stderr
    found = {n["name"]: n for n in json.loads(done.stdout)["notebooks"] if n["name"] in NAMES}
    assert sorted(found) == sorted(NAMES)
    assert {(n["status"], *n["differences"]) for n in found.values()} == {("InService",)}


def test_two_notebooks_share_data_as_the_example_shows(
    demo: Demo, client: Callable[..., Any]
) -> None:
    s3 = client("s3")
    try:
        done = demo.checkout.run(sys.executable, "examples/data-sharing/run.py")
        assert done.returncode == 0, done.stdout + done.stderr
        role = "arn:aws:sts::000000000000:assumed-role/demo-notebook"
        assert done.stdout.splitlines() == [
            f"notebook-dev works as {role}/notebook-dev",
            "wrote s3://demo-datasets/shared/scores.csv",
            f"notebook-prod works as {role}/notebook-prod",
            "saved s3://demo-models/experiments/scores/model.joblib",
            # By hand: means 3 and 60.4, slope 40 / 10 = 4, so 60.4 + 4 * (6 - 3).
            "6 hours give a score of 72.40",
        ]
        written = s3.get_object(Bucket="demo-datasets", Key="shared/scores.csv")["Body"].read()
        assert written.splitlines()[:2] == [b"hours,score", b"1,53.0"]
        assert s3.head_object(Bucket="demo-models", Key="experiments/scores/model.joblib")
    finally:
        for bucket in ("demo-datasets", "demo-models"):  # or they could not be destroyed
            versions = s3.list_object_versions(Bucket=bucket).get("Versions", [])
            for one in versions:
                s3.delete_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])


def test_plain_terraform_sees_nothing_to_change(demo: Demo) -> None:
    for name in NAMES:
        assert demo.actions(name) == {}


def test_what_is_generated_is_formatted_and_valid(demo: Demo) -> None:
    formatted = demo.terraform("nlp-project", "fmt", "-check", "-diff")
    assert (formatted.returncode, formatted.stdout) == (0, "")
    assert demo.terraform("nlp-project", "validate").returncode == 0


@pytest.fixture(scope="module")
def copied(demo: Demo) -> str:
    """`notebook-dev`, copied by hand with other values, as the layout promises, and applied."""
    notebooks = demo.shell.root / "notebooks"
    ignored = shutil.ignore_patterns("*.tfstate*", ".terraform*", "p")
    shutil.copytree(notebooks / "notebook-dev", notebooks / "alice", symlinks=True, ignore=ignored)
    _write_values(notebooks / "alice", "ml.t3.large", 30)
    demo.apply("alice")
    return "alice"


def test_a_copied_directory_is_another_notebook_on_the_shared_parts(
    demo: Demo, copied: str, client: Callable[..., Any]
) -> None:
    copy, original = (
        client("sagemaker").describe_notebook_instance(NotebookInstanceName=name)
        for name in (copied, "notebook-dev")
    )
    for shared in ("RoleArn", "SubnetId", "SecurityGroups"):
        assert copy[shared] == original[shared]
    outputs = json.loads(demo.terraform(copied, "output", "-json").stdout)
    assert outputs["notebook_url"]["value"].startswith("https://alice-")
    assert outputs["purpose"]["value"] == SAID
    tags = client("sagemaker").list_tags(ResourceArn=copy["NotebookInstanceArn"])["Tags"]
    assert {"Key": "Stack", "Value": "notebooks/alice"} in tags
    assert {"Key": "Owner", "Value": "alice"} in tags


def test_type_and_volume_change_in_place(
    demo: Demo, copied: str, client: Callable[..., Any]
) -> None:
    def describe() -> Any:
        return client("sagemaker").describe_notebook_instance(NotebookInstanceName=copied)

    created = describe()
    _write_values(demo.shell.root / "notebooks" / copied, "ml.m5.xlarge", 60)
    assert demo.actions(copied) == {"aws_sagemaker_notebook_instance.this": ["update"]}
    demo.apply(copied)
    changed = describe()
    assert (changed["InstanceType"], changed["VolumeSizeInGB"]) == ("ml.m5.xlarge", 60)
    assert (changed["NotebookInstanceStatus"], changed["CreationTime"]) == (
        "InService",
        created["CreationTime"],
    )
    assert demo.actions(copied) == {}


def test_another_environment_is_another_directory(demo: Demo, client: Callable[..., Any]) -> None:
    done = demo.checkout.tools(
        "new-notebook", "cv-project", "--from", "notebook-prod", "--local", "--apply"
    )
    assert done.returncode == 0, done.stderr
    instance = client("sagemaker").describe_notebook_instance(NotebookInstanceName="cv-project")
    assert instance["InstanceType"] == "ml.m5.2xlarge"


def test_access_to_the_shared_role_is_explained(demo: Demo) -> None:
    done = demo.checkout.tools("explain-access", "notebook-dev", "--local")
    assert done.returncode == 0, done.stderr
    assert ":role/demo-notebook (shared with other notebooks)" in done.stdout
    writes = done.stdout.split("\nWrites\n")[1].split("\nCalls\n")[0]
    assert "    arn:aws:s3:::demo-datasets/*\n" in writes
    assert "[bucket demo-models: DenyPlainHttp]" in done.stdout


def test_an_isolated_notebook_writes_under_its_own_name(
    demo: Demo, client: Callable[..., Any]
) -> None:
    shared = json.loads(demo.terraform("notebook-dev", "output", "-json").stdout)
    done = demo.checkout.tools(
        "new-notebook", "iso-project", "--isolated", "--local", "--apply", "--yes"
    )
    assert done.returncode == 0, done.stderr
    instance = client("sagemaker").describe_notebook_instance(NotebookInstanceName="iso-project")
    assert instance["RoleArn"].endswith(":role/demo-notebook-iso-project")
    assert instance["RoleArn"] != shared["role_arn"]["value"]

    explained = demo.checkout.tools("explain-access", "iso-project", "--local", "--json")
    assert explained.returncode == 0, explained.stderr
    access = json.loads(explained.stdout)
    assert access["role"] == instance["RoleArn"]
    assert access["own_role"] is True
    assert access["boundary"] == "demo-isolated-notebook-boundary"
    written = {
        resource
        for statement in access["writes"]
        for resource in statement["resources"]
        if ":s3:" in resource
    }
    assert written == {
        f"arn:aws:s3:::demo-{purpose}/users/iso-project/*" for purpose in ("datasets", "models")
    }
    gone = demo.checkout.tools("destroy", "iso-project", "--local", "--yes")
    assert gone.returncode == 0, gone.stderr


def test_what_was_never_deployed_has_no_access_to_explain(demo: Demo) -> None:
    assert demo.checkout.tools("new-notebook", "idle", "--local").returncode == 0
    done = demo.checkout.tools("explain-access", "idle", "--local")
    assert (done.returncode, done.stdout) == (1, "")
    assert "notebooks/idle is not deployed, so it has no role yet" in done.stderr
    assert "tools deploy --local notebooks/idle" in done.stderr


@pytest.mark.parametrize("name", ["iam", "notebooks/*"])
def test_access_is_explained_of_one_notebook(demo: Demo, name: str) -> None:
    done = demo.checkout.tools("explain-access", name, "--local")
    assert done.returncode == 1
    assert f"{name} is not one notebook" in done.stderr


def _write_values(directory: Path, instance_type: str, volume_size: int) -> None:
    (directory / "terraform.tfvars").write_text(
        f'instance_type = "{instance_type}"\nvolume_size = {volume_size}\nowner = "alice"\n'
        f'purpose = "{PURPOSE}"\nenvironment = "dev"\n'
    )


def test_a_directory_copied_with_its_backend_is_refused(checkout: Checkout) -> None:
    notebooks = checkout.root / "notebooks"
    text = Backend("states", "us-east-1", "file").text("notebooks/notebook-dev")
    (notebooks / "notebook-dev/backend.tf").write_text(text)
    shutil.copytree(notebooks / "notebook-dev", notebooks / "two", symlinks=True)
    done = checkout.tools("demo")
    assert done.returncode == 1
    assert done.stderr.startswith(
        "error: notebooks/two/backend.tf names the state of notebooks/notebook-dev: "
    )


def test_the_states_move_into_a_bucket_and_nothing_is_to_be_changed(
    demo: Demo, client: Callable[..., Any]
) -> None:
    """The last one here: what the others made is moved with the rest, and destroyed from there."""
    make_bucket(client, "demo-states")
    work = demo.shell.root
    local = {
        f"ml-infra/{state.relative_to(work).as_posix()}": state.read_bytes()
        for state in work.glob("*/*/terraform.tfstate")
    }
    assert len(local) >= 4 + len(NAMES)
    done = demo.checkout.tools("state", "enable", "--bucket", "demo-states", "--local")
    assert done.returncode == 0, done.stderr
    s3 = client("s3")
    there = {
        found["Key"]: s3.get_object(Bucket="demo-states", Key=found["Key"])["Body"].read()
        for found in s3.list_objects_v2(Bucket="demo-states")["Contents"]
        if found["Key"].endswith(".tfstate")
    }
    assert there == {key: text for key, text in local.items() if text}
    assert not list(work.glob("*/*/terraform.tfstate"))
    planned = demo.checkout.tools(
        "plan", "--local", "--refresh", "--detailed-exitcode", "--shared", *NAMES
    )
    assert planned.returncode == 0, planned.stdout + planned.stderr
    assert demo.actions("notebook-dev") == {}
