"""`tools report` of notebooks in the local cloud; the rest is in tests/unit/commands."""

import html
import json
import re
import secrets
from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.conftest import Checkout
from tests.emulator.conftest import trust

COMMON = 'project = "acme-ml"\nregion = "us-east-1"\n'
REGION = "ca-central-1"  # no other test has notebooks or logs there


@pytest.fixture
def deployed(small: Checkout, client: Callable[..., Any]) -> tuple[Checkout, str, str]:
    """A checkout with a notebook that is otherwise in the local cloud, and one that only is there.

    Made by boto3, which is quicker than Terraform.
    """
    sagemaker = client("sagemaker", region=REGION)
    (small.root / "common.auto.tfvars").write_text(COMMON.replace("us-east-1", REGION))
    unique = secrets.token_hex(4)
    kept, orphan = f"kept-{unique}", f"orphan-{unique}"
    role = client("iam").create_role(
        RoleName=f"report-{unique}", AssumeRolePolicyDocument=trust("sagemaker.amazonaws.com")
    )
    made = small.tools("new-notebook", kept, "--purpose", "<i>Kept</i> & shown")
    assert made.returncode == 0, made.stderr
    for name in (kept, orphan):
        sagemaker.create_notebook_instance(
            NotebookInstanceName=name,
            InstanceType="ml.m5.xlarge",
            RoleArn=role["Role"]["Arn"],
        )
        sagemaker.get_waiter("notebook_instance_in_service").wait(
            NotebookInstanceName=name, WaiterConfig={"Delay": 1}
        )
    return small, kept, orphan


def concern(page: str, name: str) -> str:
    """What stands in the list of one concern under "Needs attention", as it is read."""
    inside = page.partition(f'<span class="concern">{name}</span>')[2].partition("</details>")[0]
    items = inside.partition('<ul class="items">')[2]
    return " ".join(re.sub(r"<[^>]+>", "", items).split())


def test_what_the_cloud_says_stands_beside_what_is_declared(
    deployed: tuple[Checkout, str, str],
) -> None:
    checkout, kept, orphan = deployed
    done = checkout.tools("report", "--local")
    assert done.returncode == 0, done.stderr
    raw = (checkout.root / ".tools/report.html").read_text()
    page = html.unescape(raw)
    assert f"The local cloud was asked, {REGION}." in page
    assert "InService" in page
    assert concern(page, "In no state") == f"{kept} InService, and in no Terraform state"
    assert "tools adopt NAME --local" in page
    not_as_declared = concern(page, "Not as declared")
    assert f"{kept} instance_type is ml.m5.xlarge, declared ml.t3.medium" in not_as_declared
    assert "no lifecycle configuration: it does not stop when idle" in not_as_declared
    assert concern(page, "Instances that no directory declares").startswith(
        f"{orphan} ml.m5.xlarge"
    )
    assert orphan not in page.split('id="fleet"')[1]
    # No notebook of the local cloud runs Jupyter, and so none logs whether it is idle.
    assert "Which notebooks are idle is not known" in page
    assert "Not all could be read, so there may be more" in page
    assert "console.aws.amazon.com" not in page  # which does not show the local cloud
    assert "<i>Kept</i>" not in raw
    assert "<i>Kept</i> & shown" in page


def test_a_state_that_cannot_be_read_is_told(checkout: Checkout) -> None:
    (checkout.root / "common.auto.tfvars").write_text(COMMON)
    (checkout.root / "shared-infra/s3/terraform.tfstate").write_text("{")
    done = checkout.tools("report")
    assert done.returncode == 0, done.stderr
    page = html.unescape((checkout.root / done.stdout.strip()).read_text())
    assert "What is applied of shared-infra/s3 is not known: " in page
    assert str(checkout.root) not in page


def page_of(checkout: Checkout, *arguments: str) -> str:
    """The page, as it reads: its escapes undone."""
    done = checkout.tools("report", *arguments)
    assert done.returncode == 0, done.stderr
    return html.unescape((checkout.root / done.stdout.strip()).read_text())


def test_without_an_answer_what_is_applied_is_listed_and_what_is_not_known_is_said(
    checkout: Checkout,
) -> None:
    """`tools list` reads the same states and is asked beside it."""
    (checkout.root / "common.auto.tfvars").write_text(COMMON)
    stacks = json.loads(checkout.tools("list", "--json").stdout)
    never = [row["stack"].removeprefix("notebooks/") for row in stacks]
    assert {row["status"] for row in stacks} == {"never applied"}
    for arguments, why in (
        (["--offline"], "AWS was not asked: --offline."),
        ([], "AWS has not listed the notebooks: no AWS credentials found"),
    ):
        page = page_of(checkout, *arguments)
        _, _, inside = page.partition('<span class="concern">Never deployed</span>')
        assert re.findall("<li><strong>(.*?)</strong>", inside.partition("</ul>")[0]) == never
        assert "Waiting for a deploy" not in page
        (note,) = re.findall('<li class="unread">(.*?)</li>', page)
        assert note.startswith(why)
        assert "which notebooks run" in note


def test_offline_asks_no_bucket_and_says_what_that_leaves_open(checkout: Checkout) -> None:
    (checkout.root / "common.auto.tfvars").write_text(COMMON)
    arguments = 'bucket = "b"\n    key = "k"\n    region = "us-east-1"'
    (checkout.root / "notebooks/notebook-dev/backend.tf").write_text(
        f'terraform {{\n  backend "s3" {{\n    {arguments}\n  }}\n}}\n'
    )
    page = page_of(checkout, "--offline")
    assert "What is applied of notebooks/notebook-dev, and which states" in page
    assert "no AWS credentials" not in page
    assert "<li><strong>notebook-prod</strong>" in page
    assert "<li><strong>notebook-dev</strong>" not in page
