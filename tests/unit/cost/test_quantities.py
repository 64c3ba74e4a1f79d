"""Quantities from the stacks' files, and from outputs where no file says them."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.trees import LAYOUT, REPOSITORY, copy_repository, write_stack
from tools.cost import quantities
from tools.cost.model import Quantities, SharedSpec
from tools.cost.quantities import WhatIf
from tools.errors import UserError
from tools.fleet.fleet import Fleet
from tools.layout.repository import Repository
from tools.layout.stack import Stack
from tools.scaffold import notebook


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_repository(tmp_path_factory.mktemp("gather") / "repository", *LAYOUT)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return copy_repository(tmp_path / "repository", *LAYOUT)


def never_applied(stack: Stack) -> Mapping[str, Any]:
    return {}


def counted(
    root: Path,
    *what_if: str,
    outputs: quantities.Outputs = never_applied,
    hours: Decimal | None = None,
) -> Quantities:
    repository = Repository(root)
    notebooks = Fleet(root, repository, "us-east-1").notebooks()
    changes = [WhatIf.parse(text) for text in what_if]
    return quantities.count(repository, "us-east-1", notebooks, outputs, changes, hours)


def test_the_repository_as_it_is(original: Path) -> None:
    found = counted(original)
    assert [(n.name, n.instance_type, n.volume_gb, n.hours) for n in found.notebook_specs] == [
        ("notebook-dev", "ml.t3.medium", 20, 730),
        ("notebook-prod", "ml.m5.2xlarge", 100, 730),
    ]
    assert [(n.owner, n.environment) for n in found.notebook_specs] == [
        ("data-science", "dev"),
        ("data-science", "prod"),
    ]
    assert found.shared_spec == SharedSpec(endpoints=3, zones=1, kms_keys=0, buckets=True)
    (note,) = found.notes
    assert "1 is assumed" in note
    assert "not applied yet" in note


def test_endpoints_and_zones_are_those_of_the_values(root: Path) -> None:
    (root / "shared-infra/vpc-endpoints/terraform.tfvars").write_text(
        'interface_services = ["logs", "sts", "ec2", "logs"]\n'
        'subnet_ids = ["subnet-0000000a", "subnet-0000000b"]\n'
        'nat_subnet = "10.0.255.0/28"\n'
    )
    found = counted(root)
    assert (found.shared_spec.endpoints, found.shared_spec.zones) == (3, 2)
    assert found.shared_spec.nat_gateway
    without = counted(root, "vpc-endpoints.nat_subnet=null")
    assert not without.shared_spec.nat_gateway
    assert found.notes == [
        "Availability Zones: one for each of subnet_ids in shared-infra/vpc-endpoints."
    ]


def test_zones_that_no_value_says_are_those_of_the_applied_state(original: Path) -> None:
    applied = {"subnet_ids": ["subnet-0000000a", "subnet-0000000b", "subnet-0000000c"]}
    found = counted(original, outputs=lambda stack: applied)
    assert found.shared_spec.zones == 3
    assert found.notes == [
        "Availability Zones: the subnets of the applied shared-infra/vpc-endpoints."
    ]


def test_a_state_that_cannot_be_read_is_said_and_not_fatal(original: Path) -> None:
    def locked_away(stack: Stack) -> Mapping[str, Any]:
        raise UserError("no credentials")

    found = counted(original, outputs=locked_away)
    assert found.shared_spec.zones == 1
    assert "its state cannot be read (no credentials)" in found.notes[0]


def test_without_the_shared_stacks_there_is_no_overhead(root: Path) -> None:
    for stack in ("s3", "vpc-endpoints"):
        (root / "shared-infra" / stack).rename(root / stack)
    assert counted(root).shared_spec == SharedSpec()


def test_keys_that_the_stacks_make_are_counted(root: Path) -> None:
    write_stack(
        root,
        "shared-infra/keys",
        'variable "create_kms_key" {\n  type = bool\n  default = true\n}\n',
    )
    found = counted(root)
    assert found.shared_spec.kms_keys == 1
    assert found.notes[-1] == (
        "Not counted: shared-infra/keys, whose resources are not known here."
    )


def test_hours_given_stand_for_every_notebook(original: Path) -> None:
    assert {n.hours for n in counted(original, hours=Decimal(160)).notebook_specs} == {160}


@pytest.mark.parametrize(
    ("start", "stop", "days", "hours"),
    [
        ("08:00", "19:00", "MON-FRI", "239.0"),  # 5 days of 11 hours; a month is 730 / 168 weeks
        ("08:00", "19:30", "MON,WED,FRI", "149.9"),
        ("22:00", "06:00", "MON-FRI", "173.8"),  # over midnight
        ("08:00", "08:00", "MON-SUN", "730.0"),
        ("08:00", "20:00", "FRI-MON,SUN", "208.6"),  # four days
        ("08:00", None, "MON-FRI", "730"),
        (None, "19:00", "MON-FRI", "730"),
    ],
)
def test_hours_are_those_of_the_schedule(
    root: Path, start: str | None, stop: str | None, days: str, hours: str
) -> None:
    values = {"schedule_start": start, "schedule_stop": stop, "schedule_days": days}
    with (root / "notebooks/notebook-dev/terraform.tfvars").open("a") as file:
        file.write("".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items()))
    dev, prod = counted(root).notebook_specs
    assert str(dev.hours) == hours
    assert prod.hours == 730
    assert counted(root, hours=Decimal(100)).notebook_specs[0].hours == 100


def test_a_notebook_that_declares_nothing_is_kept(root: Path) -> None:
    (root / "notebooks/notebook-dev/terraform.tfvars").unlink()
    dev = counted(root).notebook_specs[0]
    assert (dev.name, dev.instance_type, dev.owner) == ("notebook-dev", "", "")


def test_a_what_if_changes_what_it_names_alone(original: Path) -> None:
    found = counted(
        original, "notebook-prod.instance_type=ml.m5.xlarge", "notebook-prod.volume_size=50"
    )
    assert [(n.instance_type, n.volume_gb) for n in found.notebook_specs] == [
        ("ml.t3.medium", 20),
        ("ml.m5.xlarge", 50),
    ]


def test_a_what_if_takes_a_glob_and_a_shared_stack(original: Path) -> None:
    found = counted(
        original,
        "notebooks/*.instance_type = ml.t3.large",
        "vpc-endpoints.interface_services=sagemaker.api, logs",
        'shared-infra/vpc-endpoints.subnet_ids=["subnet-1", "subnet-2"]',
    )
    assert {n.instance_type for n in found.notebook_specs} == {"ml.t3.large"}
    assert (found.shared_spec.endpoints, found.shared_spec.zones) == (2, 2)


def test_a_what_if_moves_a_notebook_to_another_region(original: Path) -> None:
    found = counted(original, "notebook-prod.region=eu-west-1")
    assert [n.region for n in found.notebook_specs] == ["us-east-1", "eu-west-1"]


def test_a_what_if_of_null_takes_a_schedule_away(root: Path) -> None:
    with (root / "notebooks/notebook-dev/terraform.tfvars").open("a") as file:
        file.write('schedule_start = "08:00"\nschedule_stop = "19:00"\n')
    assert counted(root).notebook_specs[0].hours == 239
    assert counted(root, "notebook-dev.schedule_start=null").notebook_specs[0].hours == 730


@pytest.mark.parametrize("size", ["-5", "true", "10.5", "4", '"big"'])
def test_a_volume_that_aws_refuses_is_unknown_and_told(root: Path, size: str) -> None:
    values = root / "notebooks/notebook-prod/terraform.tfvars"
    values.write_text(re.sub(r"(?m)^volume_size.*$", f"volume_size = {size}", values.read_text()))
    found = counted(root)
    assert [n.volume_gb for n in found.notebook_specs] == [20, None]
    (warning,) = found.warnings
    assert warning.startswith("notebooks/notebook-prod: volume_size is not counted: ")


def test_a_number_beyond_python_s_leaves_its_notebook_out_and_is_told(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (root / "notebooks/notebook-prod/terraform.tfvars").open("a") as file:
        file.write("idle_timeout_minutes = 1e400\n")
    assert len(counted(root).notebook_specs) == 1
    assert "idle_timeout_minutes is an expression or a number that this" in capsys.readouterr().err


def test_times_are_those_that_the_module_takes() -> None:
    module = (REPOSITORY / "modules/sagemaker-notebook/variables.tf").read_text()
    assert module.count(f'"^{notebook.TIME}$"') == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("notebook-prod", "is not a change; write NOTEBOOK.VALUE="),
        ("instance_type=ml.m5.xlarge", "is not a change"),
        ("notebook-prod.=x", "is not a change"),
        ("notebook-pro.volume_size=5", "did you mean notebook-prod"),
        ("notebook-prod.instance_typ=x", "has no value called 'instance_typ'; .*instance_type"),
        ("notebook-prod.instance_type=ml.m5.extralarge", "there is no 'ml.m5.extralarge'"),
        ("notebook-prod.volume_size=4", "it must be 5 to 16384, not 4"),
        ("notebook-prod.volume_size=5.5", "whole number"),
        ("notebook-prod.volume_size=big", "'big' is not a number"),
        ("notebook-prod.volume_size=true", "'true' is not a number"),
        ("notebook-prod.root_access=maybe", "'maybe' is not a bool"),
        ('vpc-endpoints.interface_services=["ec2"', "is not a set"),
        ("vpc-endpoints.interface_services=[1, 2]", "is not a set"),
        ("vpc-endpoints.interface_services=null", "must not be null"),
        ("notebook-prod.volume_size=null", "must not be null"),
        ("notebook-prod.volume_size=NaN", "whole number, not nan"),
        ("notebook-prod.volume_size=1e999", "whole number, not inf"),
        ("notebook-prod.schedule_start=banana", "a time from 00:00 to 23:59, not 'banana'"),
        ("notebook-prod.schedule_stop=7:30", "a time .*, not '7:30'"),
        ("notebook-prod.schedule_stop=24:00", "a time .*, not '24:00'"),
        ("notebook-prod.schedule_days=banana", "days such as .*, not 'banana'"),
        ("notebook-prod.schedule_days=MON-FRI-SUN", "days such as MON-FRI"),
        ("notebook-prod.region=us-esat-1", "no region 'us-esat-1'.*us-east-1"),
        ("notebook-prod.owner=bob", "no cost here depends on it, only on instance_type"),
        ("vpc-endpoints.region=eu-west-1", "no cost here depends on it, only on create_kms_key"),
    ],
)
def test_a_what_if_about_nothing_is_refused(original: Path, text: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        counted(original, text)
