"""The command, where nearly everything is missing: no check may end it."""

import json
import re

from tests.unit.commands.conftest import Checkout, checkout

__all__ = ["checkout"]

NAMES = ["terraform", "provider source", "python", "disk", "settings", "region", "lock files"]
NAMES += ["git"]
ACCOUNT = ["credentials", "vpc", "endpoints", "quotas"]


def test_a_line_for_each_check_before_init_and_without_terraform(checkout: Checkout) -> None:
    done = checkout.tools("doctor")
    assert done.returncode == 1
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert [line[9:].split("  ")[0] for line in lines] == ["Check", *NAMES, *ACCOUNT]
    assert "run `tools init`" in done.stdout
    # Who the credentials belong to needs no project.
    assert re.search("^error +credentials +no AWS credentials found", done.stdout, re.MULTILINE)
    assert "Traceback" not in done.stdout


def test_no_line_is_wider_than_the_terminal(checkout: Checkout) -> None:
    (checkout.root / "common.auto.tfvars").write_text('project = "acme"\nregion = "eu-west-1"\n')
    wide = checkout.tools("doctor", AWS_REGION="us-east-2").stdout
    narrow = checkout.tools("doctor", AWS_REGION="us-east-2", COLUMNS="80").stdout
    for line in narrow.splitlines():
        assert len(line) <= 80 or len(line[30:].split()) == 1  # a path, which is not broken
    assert max(map(len, wide.splitlines())) > 80
    results = [" ".join(line[30:] for line in text.splitlines()) for text in (wide, narrow)]
    # What is free on the disk changes meanwhile.
    words = [re.sub(r"[\d.]+ GB are free", "", text).split() for text in results]
    assert words[0] == words[1]


def test_the_local_cloud_needs_no_settings(checkout: Checkout) -> None:
    done = checkout.tools("doctor", "--local", "--json")
    found = {check["name"]: check["status"] for check in json.loads(done.stdout)}
    assert (found["settings"], found["region"]) == ("warning", "unknown")


def test_without_credentials_it_says_so_and_goes_on(checkout: Checkout) -> None:
    (checkout.root / "common.auto.tfvars").write_text('project = "acme"\nregion = "eu-west-1"\n')
    done = checkout.tools("doctor", "--json")
    found = {check["name"]: check for check in json.loads(done.stdout)}
    assert found["settings"]["status"] == "ok"
    assert found["credentials"]["status"] == "error"
    assert "no AWS credentials found" in found["credentials"]["detail"]
    for name in ("vpc", "endpoints", "quotas"):
        assert found[name]["status"] == "unknown"
        assert found[name]["detail"] == "not checked without credentials"


def test_files_that_nobody_can_read_end_no_check(checkout: Checkout) -> None:
    (checkout.root / "common.auto.tfvars").write_text('project = "acme"\nregion = "eu-west-1"\n')
    (checkout.root / "notebooks/notebook-dev/.terraform.lock.hcl").write_bytes(b"\xff\xfe")
    (checkout.root / "shared-infra/s3/variables.tf").write_text("variable {")
    done = checkout.tools("doctor", "--json")
    found = {check["name"]: check["status"] for check in json.loads(done.stdout)}
    assert found["lock files"] in ("unknown", "error")
    assert list(found)[-4:] == ACCOUNT


def test_a_region_that_aws_s_settings_do_not_share_is_said(checkout: Checkout) -> None:
    (checkout.root / "common.auto.tfvars").write_text('project = "acme"\nregion = "eu-west-1"\n')
    for region, status in (("us-east-2", "warning"), ("eu-west-1", "ok"), ("", "ok")):
        done = checkout.tools("doctor", "--json", AWS_REGION=region)
        (found,) = [check for check in json.loads(done.stdout) if check["name"] == "region"]
        assert found["status"] == status
        if status == "warning":
            assert found["mend"].startswith("export AWS_REGION=eu-west-1")
