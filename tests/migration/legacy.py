"""An old deployment of one folder, and what is seen while it is migrated."""

import json
import shutil
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cli.conftest import Checkout, attach, user_env
from tests.trees import copy_repository
from tools.localcloud.process import Running
from tools.terraform.binary import Terraform
from tools.terraform.installation import BINARY_VARIABLE

MONOLITH = Path(__file__).with_name("monolith")
NOTEBOOKS = ("alice", "bob")


def checkout_in(root: Path, terraform: Terraform, local_cloud: Running, project: str) -> Checkout:
    """A repository without notebooks of its own."""
    env = {**user_env(terraform), BINARY_VARIABLE: str(terraform.binary)}
    made = Checkout(copy_repository(root), env)
    attach(made, local_cloud)
    for notebook in made.notebooks():
        if notebook != "README.md":
            shutil.rmtree(made.root / "notebooks" / notebook)
    common = f'project = "{project}"\nregion = "us-east-1"\n'
    (made.root / "common.auto.tfvars").write_text(common)
    return made


@dataclass
class Legacy:
    """The monolith as its owners have it: a folder outside of the repository, and its Terraform."""

    folder: Path
    prefix: str
    shell: Checkout
    client: Callable[..., Any]
    binary: Path

    def terraform(self, *arguments: str, folder: Path | None = None) -> str:
        done = self.shell.run(str(self.binary), f"-chdir={folder or self.folder}", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @property
    def files(self) -> dict[str, bytes]:
        """What lies in the folder, but for Terraform's own working folder."""
        paths = [path for path in self.folder.rglob("*") if path.is_file()]
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in paths
            if ".terraform" not in path.relative_to(self.folder).parts
        }

    def outputs(self) -> dict[str, Any]:
        """What its owners know of it, from its state."""
        state = json.loads((self.folder / "terraform.tfstate").read_text())
        return {name: output["value"] for name, output in state["outputs"].items()}

    def identities(self) -> dict[str, Any]:
        """What AWS gives a resource once: another one of the same name has others."""
        sagemaker, ec2 = self.client("sagemaker"), self.client("ec2")
        notebooks = [
            sagemaker.describe_notebook_instance(NotebookInstanceName=f"{self.prefix}-{name}")
            for name in NOTEBOOKS
        ]
        role = self.client("iam").get_role(RoleName=f"{self.prefix}-sagemaker")["Role"]
        buckets = self.client("s3").list_buckets()["Buckets"]
        vpc = [{"Name": "vpc-id", "Values": [self.outputs()["vpc_id"]]}]
        groups = ec2.describe_security_groups(Filters=vpc)["SecurityGroups"]
        return {
            "notebooks": [
                (one["NotebookInstanceArn"], one["CreationTime"], one["NetworkInterfaceId"])
                for one in notebooks
            ],
            "role": (role["RoleId"], role["Arn"], role["CreateDate"]),
            "buckets": [
                (one["Name"], one["CreationDate"])
                for one in buckets
                if one["Name"].startswith(self.prefix)
            ],
            "groups": sorted((one["GroupId"], one["GroupName"]) for one in groups),
        }

    def endpoints(self) -> set[str]:
        vpc = [{"Name": "vpc-id", "Values": [self.outputs()["vpc_id"]]}]
        found = self.client("ec2").describe_vpc_endpoints(Filters=vpc)["VpcEndpoints"]
        return {one["VpcEndpointId"] for one in found}


@dataclass
class Migrated:
    """A repository into which the monolith was migrated, the first time until Ctrl-C.

    `before` and `after` are what `Legacy.identities`, `endpoints` and `files` were then.
    """

    legacy: Legacy
    checkout: Checkout
    before: Any
    interrupted: tuple[int, str]
    done: "subprocess.CompletedProcess[str]"
    after: Any

    @property
    def answer(self) -> Any:
        """What the second run gave as JSON."""
        return json.loads(self.done.stdout or "{}")


@dataclass
class LetGo:
    """A copy of the monolith's folder, over which the script has run, as it was and edited."""

    folder: Path
    first: "subprocess.CompletedProcess[str]"
    second: "subprocess.CompletedProcess[str]"


def migrate(legacy: Legacy, checkout: Checkout) -> Migrated:
    """Migrates `legacy`, with one Ctrl-C on the way."""
    before = legacy.identities(), legacy.endpoints(), legacy.files
    interrupted = _interrupted(legacy, checkout)
    done = checkout.tools("migrate", str(legacy.folder), "--local", "--json")
    after = legacy.identities(), legacy.endpoints(), legacy.files
    return Migrated(legacy, checkout, before, interrupted, done, after)


def let_go(migrated: Migrated, folder: Path) -> LetGo:
    """Runs the script that `migrated` has brought, over a copy of the monolith in `folder`."""
    shutil.copytree(migrated.legacy.folder, folder, symlinks=True)
    script = (migrated.checkout.root / "state-rm-legacy.sh").read_text()
    runs = [
        _run_script(migrated.legacy, text, folder) for text in (script, _with_the_network(script))
    ]
    return LetGo(folder, *runs)


def _interrupted(legacy: Legacy, checkout: Checkout) -> tuple[int, str]:
    """Ctrl-C once a part of it is imported: the exit code, and what was said."""
    process = checkout.start("migrate", str(legacy.folder), "--local")
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if "[shared-infra/iam] importing" in line:
            process.send_signal(signal.SIGINT)
    return process.wait(), said


def _run_script(legacy: Legacy, text: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    path = folder.parent / "script.sh"
    path.write_text(text)
    return legacy.shell.run("sh", str(path), str(folder))


def _with_the_network(script: str) -> str:
    """As somebody edits it who wants the old deployment to go as a whole."""
    lines = script.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("# let_go "))
    end = lines.index("", start)
    lines[start:end] = [line.removeprefix("# ") for line in lines[start:end]]
    return "\n".join(lines) + "\n"
