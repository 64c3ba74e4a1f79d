"""What Terraform would refuse is refused before anything is written: Terraform is the oracle."""

import base64
import json
import secrets
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Checkout, attach, user_env
from tests.keeper import kept_env
from tests.roles import TRUST
from tests.trees import copy_repository
from tools.commands.import_ import _try_out
from tools.context import Context
from tools.errors import UserError
from tools.imports import scan, trial
from tools.imports.destination import Destination
from tools.imports.pending_import import find_pending
from tools.imports.request import ImportRequest
from tools.layout.stack import S3
from tools.localcloud.process import Running
from tools.runs.session import Session
from tools.scaffold import render
from tools.scaffold.notebook import Notebook, make
from tools.terraform.binary import Terraform

# The most that AWS takes, as base64 of it: legal by itself, and too long with the module's part.
LONGEST = 16384 // 4 * 3


@pytest.fixture(scope="module")
def session(
    tmp_path_factory: pytest.TempPathFactory, kept_terraform: Terraform, local_cloud: Running
) -> Session:
    root = copy_repository(tmp_path_factory.mktemp("trial") / "repository")
    env = {**user_env(kept_terraform), **kept_env(kept_terraform)}
    checkout = Checkout(root, env)
    shutil.rmtree(root / "notebooks")
    (root / "notebooks").mkdir()
    (root / "common.auto.tfvars").write_text('project = "acme"\nregion = "us-east-1"\n')
    attach(checkout, local_cloud)
    return Session.open(Context(root, env), local=True)


def notebook(session: Session, name: str, **script: bytes) -> Notebook:
    values: dict[str, Any] = {
        "instance_type": "ml.t3.medium",
        "volume_size": 5,
        "owner": "ada",
        "purpose": "x",
        "environment": "dev",
        "idle_stop_minutes": 0,
        "role_arn": "arn:aws:iam::000000000000:role/r",
        "subnet_id": "subnet-0a1b2c3d",
        "security_group_ids": ["sg-0a1b2c3d"],
        **{f"{hook}_file": f"{hook}.sh" for hook in script},
    }
    scripts = {f"{hook}.sh": content for hook, content in script.items()}
    return make(name, values, render.variables(session.context.templates), scripts)


def incompressible(length: int) -> bytes:
    head = b"#!/bin/bash\n: "
    return head + secrets.token_urlsafe(length).encode()[: length - len(head)]


def files(session: Session) -> set[Path]:
    """What lies in the working copy, without what Terraform and git ignore."""
    root = session.target.repository.root
    return {path for path in root.rglob("*") if path.is_file() and "logs" not in path.parts}


def test_a_script_that_is_too_long_once_wrapped_is_refused_and_nothing_is_written(
    session: Session,
) -> None:
    before = files(session)
    request = ImportRequest(
        (),
        {S3: {"bucket_names": {"datasets": "acme-old-data"}}},
        (
            notebook(session, "long", on_start=incompressible(LONGEST)),
            notebook(session, "short", on_start=b"#!/bin/bash\ntrue\n"),
        ),
    )
    remedies = {"notebooks/long": "--leave 'x.long'", "notebooks/short": "--leave 'x.short'"}
    with pytest.raises(UserError, match="on_start of notebook long is too long") as refused:
        trial.check(session, find_pending(session, request), remedies)
    said = str(refused.value)
    assert said.endswith("nothing was written. To migrate the rest: --leave 'x.long'")
    assert "notebooks/short" not in said
    assert files(session) == before


def test_a_value_that_a_shared_stack_refuses_is_refused_with_the_stack_s_words(
    session: Session,
) -> None:
    """Nothing in Python knows the rule: shared-infra/s3/variables.tf has it."""
    before = files(session)
    request = ImportRequest((), {S3: {"noncurrent_version_expiration_days": -1}})
    with pytest.raises(UserError, match="noncurrent_version_expiration_days") as refused:
        trial.check(session, find_pending(session, request))
    assert "shared-infra/s3: " in str(refused.value)
    assert files(session) == before


def test_what_the_provider_refuses_of_a_notebook_is_refused(session: Session) -> None:
    wrong = notebook(session, "wrong")
    values = {**wrong.values, "role_arn": "not-an-arn"}
    request = ImportRequest((), {}, (Notebook("wrong", values),))
    with pytest.raises(UserError, match=r"notebooks/wrong: .*role_arn"):
        trial.check(session, find_pending(session, request))


def test_a_scan_offers_a_long_script_only_if_terraform_takes_it(
    session: Session, client: Callable[..., Any]
) -> None:
    name, ec2, sagemaker = f"t{secrets.token_hex(5)}", client("ec2"), client("sagemaker")
    vpc = ec2.create_vpc(CidrBlock="10.50.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.50.0.0/24")["Subnet"]["SubnetId"]
    role = client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    scripts = {"long": incompressible(LONGEST), "dull": b"#!/bin/bash\n" + b"true\n" * 2400}
    for what, content in scripts.items():
        sagemaker.create_notebook_instance_lifecycle_config(
            NotebookInstanceLifecycleConfigName=f"{name}-{what}",
            OnStart=[{"Content": base64.b64encode(content).decode()}],
        )
        sagemaker.create_notebook_instance(
            NotebookInstanceName=f"{name}-{what}",
            InstanceType="ml.t3.medium",
            RoleArn=role["Role"]["Arn"],
            SubnetId=subnet,
            LifecycleConfigName=f"{name}-{what}",
        )
    candidates = scan.find_candidates(Destination.open(session), partial(_try_out, session))
    found = {one.name: one for one in candidates}
    assert "is too long" in found[f"{name}-long"].why
    assert found[f"{name}-long"].command == ""
    assert found[f"{name}-dull"].command == f"tools import notebook {name}-dull --local"
