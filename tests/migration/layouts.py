"""Old deployments in the ways in which people declare notebooks, each migrated with Terraform.

The layouts are in `layouts/`, a folder each. What Terraform left of each in its state, in the
emulator, is kept in tests/unit/migration/states, where every run maps it without Terraform;
tests/migration/test_layouts.py compares the two.
"""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cli.conftest import Checkout

LAYOUTS = Path(__file__).with_name("layouts")
STATES = Path(__file__).parents[1] / "unit/migration/states"
# A region for each, so that no layout sees another one's network; two_regions has one more.
REGIONS = {
    "code_repositories": "eu-north-1",
    "counted": "eu-central-1",
    "default_tags": "ca-central-1",
    "foreign_role": "eu-west-3",
    "guarded_buckets": "us-east-2",
    "key_by_alias": "eu-west-1",
    "no_vpc": "sa-east-1",
    "per_notebook": "us-west-1",
    "shared_lifecycle": "eu-south-1",
    "two_regions": "us-west-2",
}
FAR = "ap-southeast-2"  # of two_regions
AWS = Callable[..., Any]


@dataclass(frozen=True)
class Layout:
    """A layout that Terraform has applied in a folder: `owner` runs Terraform there."""

    name: str
    folder: Path
    prefix: str
    owner: Checkout
    program: str

    @property
    def region(self) -> str:
        return REGIONS[self.name]

    def terraform(self, *arguments: str, folder: Path | None = None) -> str:
        done = self.owner.run(self.program, f"-chdir={folder or self.folder}", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "terraform.tfstate").read_text())
        return found

    def identifiers(self) -> dict[str, str]:
        """The id of each resource of the state, by address."""
        values = json.loads(self.terraform("show", "-json"))["values"]["root_module"]
        return dict(_identifiers(values))


def apply(name: str, folder: Path, prefix: str, env: Mapping[str, str], program: str) -> Layout:
    """Applies a layout in `folder`, whose parent gets the network's module."""
    for part in (name, "network"):
        target = folder if part == name else folder.parent / part
        shutil.copytree(LAYOUTS / part, target)
    values = {"prefix": prefix, "region": REGIONS[name]}
    lines = [f'{key} = "{value}"\n' for key, value in values.items()]
    (folder / "terraform.tfvars").write_text("".join(lines))
    made = Layout(name, folder, prefix, Checkout(folder, dict(env)), program)
    made.terraform("init", "-input=false")
    made.terraform("apply", "-input=false", "-auto-approve")
    return made


def _identifiers(module: Any) -> Any:
    for resource in module.get("resources", []):
        if resource["mode"] == "managed":
            yield resource["address"], str(resource["values"].get("id"))
    for child in module.get("child_modules", []):
        yield from _identifiers(child)


def identities(layout: Layout, client: AWS) -> dict[str, Any]:
    """What AWS gives once, of everything whose name begins with the layout's prefix."""
    found: dict[str, Any] = {}
    for region in (layout.region, FAR):
        sagemaker, ec2 = client("sagemaker", region=region), client("ec2", region=region)
        for one in sagemaker.list_notebook_instances(NameContains=layout.prefix)[
            "NotebookInstances"
        ]:
            name = one["NotebookInstanceName"]
            described = sagemaker.describe_notebook_instance(NotebookInstanceName=name)
            members = ("CreationTime", "NetworkInterfaceId", "SubnetId", "RoleArn", "KmsKeyId")
            found[one["NotebookInstanceArn"]] = [described.get(member) for member in members]
        by_name = [{"Name": "group-name", "Values": [f"{layout.prefix}*"]}]
        groups = ec2.describe_security_groups(Filters=by_name)["SecurityGroups"]
        found |= {one["GroupId"]: one["GroupName"] for one in groups}
    roles = client("iam").get_paginator("list_roles").paginate()
    for page in roles:
        found |= {
            one["RoleId"]: one["Arn"]
            for one in page["Roles"]
            if one["RoleName"].startswith(layout.prefix)
        }
    found |= {
        one["Name"]: one["CreationDate"]
        for one in client("s3").list_buckets()["Buckets"]
        if one["Name"].startswith(layout.prefix)
    }
    return found
