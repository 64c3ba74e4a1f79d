"""A whole deployment of the layout before December 2026 becomes today's as docs/upgrading.md says.

The earlier layout is in this repository's history. The commands and what a plan shows are the
document's; the judges are Terraform's plans, the states, and what the cloud says of the instances.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.terraform.harness import account_env
from tests.trees import REPOSITORY, copy_repository
from tools.localcloud.client import environment
from tools.localcloud.process import Running
from tools.terraform.binary import Terraform
from tools.terraform.installation import BINARY_VARIABLE

from .conftest import Checkout, user_env

EARLIER = "b071a836f573c3591cb1d15c001b5e1b862e86be"  # the last commit of that layout
DOCUMENT = (REPOSITORY / "docs/upgrading.md").read_text()
CHAPTER = DOCUMENT.partition("## A deployment from before December 2026\n")[2].partition("\n## ")[0]
SHARED = ("s3", "iam", "security-groups", "vpc-endpoints")
NOTEBOOKS = ("notebook-dev", "notebook-prod", "carol")
ROOTS = (*map("shared-infra/{}".format, SHARED), *map("notebooks/{}".format, NOTEBOOKS))
# What this deployment has chosen, so that much of what the layout can make is there.
VALUES = {
    "common.auto.tfvars": 'project = "{project}"\nregion  = "us-east-1"\n',
    "shared-infra/s3/terraform.tfvars": (
        'bucket_names   = {{ features = "{project}-features" }}\ncreate_kms_key = true\n'
    ),
    "notebooks/notebook-prod/terraform.tfvars": (
        'isolated           = true\nschedule_start     = "08:00"\nschedule_stop      = "19:00"\n'
        "use_shared_kms_key = true\n"
    ),
    "notebooks/carol/terraform.tfvars": 'tags = {{ Team = "growth" }}\n',
    # What owners added to the files that `tools new-notebook` had made.
    "notebooks/notebook-dev/outputs.tf": 'output "mine" {{\n  value = var.owner\n}}\n',
    "notebooks/carol/variables.tf": 'variable "cost_center" {{\n  default = "42"\n}}\n',
}


@dataclass(frozen=True)
class Deployment:
    """A user's repository, and an account of the emulator that Terraform reaches."""

    checkout: Checkout
    sagemaker: Any

    @property
    def root(self) -> Path:
        return self.checkout.root

    def terraform(self, root: str, command: str, *arguments: str) -> str:
        options = () if command == "show" else ("-input=false", "-no-color")
        done = self.checkout.run(self.checkout.program, command, *options, *arguments, cwd=root)
        assert done.returncode == 0, f"{root}: {done.stdout}{done.stderr}"
        return done.stdout

    def deploy(self, root: str) -> None:
        self.terraform(root, "init")
        self.terraform(root, "apply", "-auto-approve")

    def shell(self, commands: str) -> str:
        done = self.checkout.run("bash", "-c", commands)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def state(self, root: str) -> Any:
        return json.loads((self.root / root / "terraform.tfstate").read_text())

    def tags(self, root: str) -> dict[str, dict[str, str]]:
        """The tags in a state, by what AWS calls the resource."""
        return {
            instance["attributes"]["arn"]: instance["attributes"]["tags_all"]
            for resource in self.state(root)["resources"]
            for instance in resource["instances"]
            if resource["mode"] == "managed" and instance["attributes"].get("tags_all")
        }

    def outputs(self, root: str) -> dict[str, Any]:
        return {name: output["value"] for name, output in self.state(root)["outputs"].items()}

    def instances(self) -> dict[str, tuple[str, dict[str, str]]]:
        """When AWS made each instance, and its tags."""
        found = {}
        for one in self.sagemaker.list_notebook_instances()["NotebookInstances"]:
            tags = self.sagemaker.list_tags(ResourceArn=one["NotebookInstanceArn"])["Tags"]
            by_key = {tag["Key"]: tag["Value"] for tag in tags}
            found[one["NotebookInstanceName"]] = (str(one["CreationTime"]), by_key)
        return found


@pytest.fixture
def deployment(
    tmp_path: Path, kept_terraform: Terraform, local_cloud: Running, client: Callable[..., Any]
) -> Deployment:
    """The earlier layout as a repository of a user, whose branch upstream/main is today's."""
    env = account_env({**user_env(kept_terraform), **environment(local_cloud.endpoint)})
    for who in ("AUTHOR", "COMMITTER"):
        env |= {f"GIT_{who}_NAME": "tester", f"GIT_{who}_EMAIL": "tester@example.org"}
    checkout = Checkout(tmp_path, {**env, BINARY_VARIABLE: str(kept_terraform.binary)})
    found = Deployment(checkout, client("sagemaker", account=env["AWS_ACCESS_KEY_ID"]))
    history = found.checkout.run("git", "-C", str(REPOSITORY), "cat-file", "-e", EARLIER)
    shallow = found.checkout.run(
        "git", "-C", str(REPOSITORY), "rev-parse", "--is-shallow-repository"
    )
    if history.returncode:
        assert shallow.stdout == "true\n", f"this repository has no commit {EARLIER}"
        pytest.skip(f"this clone has no commit {EARLIER[:7]}: git fetch --unshallow")
    found.shell(
        f"set -e; git init -qb main; git -C {REPOSITORY} archive {EARLIER} | tar -x\n"
        "git add -A; git commit -qm earlier; git checkout -qb upstream/main; git rm -rq ."
    )
    copy_repository(tmp_path)
    found.shell("set -e; git add -A; git commit -qm today; git checkout -q main")
    return found


def documented() -> set[tuple[str, str, str]]:
    """The document's table of what the first plans show: stack, action, and what."""
    rows = re.findall(r"^\| `([^|]+)` \| (\w+) \| `(.+)` \|$", CHAPTER, re.M)
    return {(stack, action, what) for stack, action, what in rows}


def planned(deployment: Deployment, root: str) -> set[tuple[str, str, str]]:
    """What Terraform's own plan shows, as the document has it; applied then."""
    deployment.terraform(root, "init")
    deployment.terraform(root, "plan", "-out=upgrade.tfplan")
    plan = json.loads(deployment.terraform(root, "show", "-json", "upgrade.tfplan"))
    stack = re.sub(r"^notebooks/.*", "notebooks/*", root)
    changes = [(one["address"], one["change"]) for one in plan["resource_changes"]]
    changes += [(f"output.{name}", one) for name, one in plan["output_changes"].items()]
    found = {
        (stack, "+".join(change["actions"]), re.sub(r'\["[^"]*"\]|\[\d+\]', "", address))
        for address, change in changes
        if change["actions"] not in (["no-op"], ["read"])
    }
    deployment.terraform(root, "apply", "upgrade.tfplan")
    deployment.terraform(root, "plan", "-detailed-exitcode")
    return found


@pytest.mark.nightly
def test_all_of_it_stays(deployment: Deployment) -> None:
    project = f"p-{deployment.checkout.env['AWS_ACCESS_KEY_ID']}"
    deployment.shell("cp -rP notebooks/notebook-dev notebooks/carol")
    for name, text in VALUES.items():
        with (deployment.root / name).open("a") as file:
            file.write(text.format(project=project))
    for root in ROOTS:
        deployment.deploy(root)
    tags = {root: deployment.tags(root) for root in ROOTS}
    outputs = {root: deployment.outputs(root) for root in ROOTS}
    instances = deployment.instances()
    assert instances.keys() == set(NOTEBOOKS)

    take, then, _ = (block.strip() for block in re.findall(r"```\n(.*?)```", CHAPTER, re.S))
    deployment.shell(f"{take}\n{then}")
    # Nobody is asked who it is: there are no credentials.
    own = {name: value for name, value in deployment.checkout.env.items() if name[:4] != "AWS_"}
    done = replace(deployment.checkout, env=own).tools("upgrade", "--yes")
    assert done.returncode == 0, done.stderr
    for name in NOTEBOOKS:
        files = {path.name for path in (deployment.root / "notebooks" / name).glob("*.tf")}
        assert files == {"main.tf", "outputs.tf", "variables.tf", "versions.tf"}

    found = set[tuple[str, str, str]]().union(*(planned(deployment, root) for root in ROOTS))
    assert found == documented()
    assert not {action for _, action, _ in found if "delete" in action}
    for root in ROOTS:
        now = deployment.tags(root)
        assert {arn: now.get(arn) for arn in tags[root]} == tags[root], root
        kept = deployment.outputs(root)
        changed = {name for name, value in outputs[root].items() if kept.get(name) != value}
        assert changed == {
            what.removeprefix("output.")
            for stack, action, what in found
            if root.startswith(stack.rstrip("*"))
            and action == "update"
            and what.startswith("output.")
        }
    assert deployment.instances() == instances
