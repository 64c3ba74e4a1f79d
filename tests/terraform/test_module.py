"""modules/sagemaker-notebook, as it is planned."""

from typing import Any

import pytest
import tftest

from .harness import Tree, outputs, resources, statements

SOURCE = "modules/sagemaker-notebook"
NOTEBOOK = "aws_sagemaker_notebook_instance.this"
KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
BASE: dict[str, Any] = {
    "source": SOURCE,
    "name": "nlp-project",
    "instance_type": "ml.t3.medium",
    "role_arn": "arn:aws:iam::123456789012:role/acme-ml-notebook",
    "subnet_id": "subnet-0a1b2c3d4e5f67890",
    "security_group_ids": ["sg-0a1b2c3d4e5f67890"],
}
BOUNDARY = "arn:aws:iam::123456789012:policy/acme-ml-isolated-notebook-boundary"
ISOLATION: dict[str, Any] = {
    "bind_trust_to_account": False,
    "bucket_arns": ["arn:aws:s3:::acme-ml-datasets", "arn:aws:s3:::acme-ml-models"],
    "permissions_boundary_arn": BOUNDARY,
    "policy_arns": {"logs": "arn:aws:iam::123456789012:policy/acme-ml-notebook-logs"},
    "project": "acme-ml",
}
CALLS = {
    "defaults": BASE,
    "chosen": {
        **BASE,
        "additional_code_repositories": ["https://example.org/a.git", "team-repository"],
        "default_code_repository": "https://example.org/main.git",
        "direct_internet_access": True,
        "idle_stop_minutes": 0,
        "imds_version": "1",
        "instance_type": "ml.trn1.32xlarge",
        "kms_key_id": KEY,
        "name": "Prod--2",
        "root_access": True,
        "security_group_ids": [f"sg-0a1b2c3d4e5f6789{digit}" for digit in range(5)],
        "tags": {"CostCenter": "42"},
        "volume_size": 16384,
    },
    "scheduled": {
        **BASE,
        "schedule_days": "MON,WED-FRI",
        "schedule_start": "08:05",
        "schedule_stop": "19:00",
        "schedule_timezone": "America/Argentina/Buenos_Aires",
    },
    "default_by_name": {**BASE, "name": "default", "schedule_stop": "19:00"},
    "kept_type": {**BASE, "instance_type": "ml.p3.2xlarge", "keep_retired_instance_type": True},
    "stopped_at_night": {**BASE, "name": "n" * 63, "schedule_stop": "00:00"},
    "smallest": {**BASE, "name": "n", "volume_size": 5},
    "longest_name": {**BASE, "name": "n" * 63},
    "isolated": {**BASE, "role_arn": None, "isolation": ISOLATION, "tags": {"Team": "nlp"}},
    "bound": {
        **BASE,
        "role_arn": None,
        "isolation": {**ISOLATION, "bind_trust_to_account": True},
    },
}


@pytest.fixture(scope="module")
def plan(planning: Tree) -> tftest.TerraformPlanOutput:
    return planning.plan(planning.write_calls("module", CALLS))


def test_closed_by_default(plan: tftest.TerraformPlanOutput) -> None:
    notebook = resources(plan, "defaults")[NOTEBOOK]
    assert notebook["direct_internet_access"] == "Disabled"
    assert notebook["root_access"] == "Disabled"
    (imds,) = notebook["instance_metadata_service_configuration"]
    assert imds["minimum_instance_metadata_service_version"] == "2"
    assert notebook["subnet_id"] == BASE["subnet_id"]
    assert notebook["security_groups"] == BASE["security_group_ids"]
    assert notebook["volume_size"] == 20


def test_aws_chooses_the_platform_by_default(plan: tftest.TerraformPlanOutput) -> None:
    assert "platform_identifier" not in resources(plan, "defaults")[NOTEBOOK]


def test_every_value_reaches_the_instance(plan: tftest.TerraformPlanOutput) -> None:
    notebook = resources(plan, "chosen")[NOTEBOOK]
    chosen = CALLS["chosen"]
    for argument, variable in {
        "additional_code_repositories": "additional_code_repositories",
        "default_code_repository": "default_code_repository",
        "instance_type": "instance_type",
        "kms_key_id": "kms_key_id",
        "name": "name",
        "role_arn": "role_arn",
        "security_groups": "security_group_ids",
        "subnet_id": "subnet_id",
        "tags": "tags",
        "volume_size": "volume_size",
    }.items():
        assert notebook[argument] == chosen[variable]
    assert notebook["direct_internet_access"] == "Enabled"
    assert notebook["root_access"] == "Enabled"
    (imds,) = notebook["instance_metadata_service_configuration"]
    assert imds["minimum_instance_metadata_service_version"] == "1"


def test_idle_stop_brings_a_lifecycle_configuration(plan: tftest.TerraformPlanOutput) -> None:
    assert resources(plan, "defaults")[NOTEBOOK]["lifecycle_config_name"] == "nlp-project"
    assert outputs(plan, "defaults")["lifecycle_configuration_name"] == "nlp-project"


def test_nothing_to_run_brings_none(plan: tftest.TerraformPlanOutput) -> None:
    assert resources(plan, "chosen").keys() == {NOTEBOOK}
    assert resources(plan, "chosen")[NOTEBOOK]["lifecycle_config_name"] is None


def test_no_schedule_by_default(plan: tftest.TerraformPlanOutput) -> None:
    assert not [name for name in resources(plan, "defaults") if "schedule" in name]
    assert outputs(plan, "defaults")["schedules"] == {}


def test_starts_on_chosen_days_and_stops_every_day(plan: tftest.TerraformPlanOutput) -> None:
    planned = resources(plan, "scheduled")
    start = planned['aws_scheduler_schedule.this["start"]']
    assert start["schedule_expression"] == "cron(5 8 ? * MON,WED-FRI *)"
    assert start["schedule_expression_timezone"] == "America/Argentina/Buenos_Aires"
    assert start["group_name"] == BASE["name"]
    stop = planned['aws_scheduler_schedule.this["stop"]']
    assert stop["schedule_expression"] == "cron(0 19 * * ? *)"


def test_a_schedule_may_only_stop_and_its_names_are_short_enough(
    plan: tftest.TerraformPlanOutput,
) -> None:
    """IAM takes 38 characters of a name's beginning, EventBridge 64 of a group's name."""
    planned = resources(plan, "stopped_at_night")
    assert [name for name in planned if name.startswith("aws_scheduler_schedule.")] == [
        'aws_scheduler_schedule.this["stop"]'
    ]
    assert outputs(plan, "stopped_at_night")["schedules"] == {"stop": "cron(0 0 * * ? *)"}
    assert len(planned["aws_iam_role.schedule[0]"]["name_prefix"]) == 38


def test_the_group_default_of_every_account_is_left_alone(
    plan: tftest.TerraformPlanOutput,
) -> None:
    """AWS refuses to make it, and no notebook can be called default_notebook."""
    planned = resources(plan, "default_by_name")
    assert planned["aws_scheduler_schedule_group.this[0]"]["name"] == "default_notebook"
    assert planned['aws_scheduler_schedule.this["stop"]']["group_name"] == "default_notebook"


def test_a_retired_type_is_kept_where_that_is_said(plan: tftest.TerraformPlanOutput) -> None:
    assert resources(plan, "kept_type")[NOTEBOOK]["instance_type"] == "ml.p3.2xlarge"


def test_an_isolated_notebook_has_a_role_of_its_own(plan: tftest.TerraformPlanOutput) -> None:
    """What the role may do is decided in tests/iam, where it is applied."""
    planned = resources(plan, "isolated")
    role = planned["aws_iam_role.isolated[0]"]
    assert role["name"] == "acme-ml-notebook-nlp-project"
    assert role["permissions_boundary"] == BOUNDARY
    assert role["tags"] == {"Notebook": "nlp-project", "Team": "nlp"}
    attached = planned['aws_iam_role_policy_attachment.isolated["logs"]']
    assert attached["policy_arn"] == ISOLATION["policy_arns"]["logs"]
    assert planned[NOTEBOOK].get("role_arn") is None  # known after the apply
    assert not [name for name in resources(plan, "defaults") if "aws_iam" in name]


def test_the_trust_of_an_isolated_role_is_bound_as_the_shared_one_s(
    plan: tftest.TerraformPlanOutput, planning: Tree
) -> None:
    trusts = {
        call: statements(resources(plan, call)["aws_iam_role.isolated[0]"]["assume_role_policy"])
        for call in ("isolated", "bound")
    }
    sagemaker = trusts["isolated"]["SageMakerAssumesTheRole"]
    assert sagemaker["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    assert "Condition" not in sagemaker
    assert trusts["bound"]["SageMakerAssumesTheRole"]["Condition"] == {
        "StringEquals": {"aws:SourceAccount": planning.account}
    }


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "four_repositories": (
        {"additional_code_repositories": ["a", "b", "c", "d"]},
        "The additional_code_repositories are three at most",
    ),
    "repository_with_password": (
        {"default_code_repository": "https://me:token@example.org/a.git"},
        "The default_code_repository holds no password",
    ),
    "repositories_with_token": (
        {"additional_code_repositories": ["a", "https://token@example.org/a.git"]},
        "The additional_code_repositories hold no password",
    ),
    "idle_negative": ({"idle_stop_minutes": -1}, "The idle_stop_minutes must be a whole number"),
    "idle_half": ({"idle_stop_minutes": 0.5}, "The idle_stop_minutes must be a whole number"),
    "imds_3": ({"imds_version": "3"}, 'The imds_version must be "1" or "2"'),
    "type_ec2": ({"instance_type": "t3.medium"}, "The instance_type must be one of SageMaker's"),
    "type_line": ({"instance_type": "ml.t3.medium\n"}, "The instance_type must be one of"),
    "key_empty": ({"kms_key_id": ""}, "The kms_key_id must be a key's ID"),
    "name_empty": ({"name": ""}, "The name must be 1 to 63 letters"),
    "name_hyphen": ({"name": "-nlp"}, "The name must be 1 to 63 letters"),
    "name_underscore": ({"name": "nlp_project"}, "The name must be 1 to 63 letters"),
    "name_long": ({"name": "n" * 64}, "The name must be 1 to 63 letters"),
    "platform_short": ({"platform_identifier": "al2023"}, "The platform_identifier must look like"),
    "platform_old": (
        {"platform_identifier": "notebook-al2-v3"},
        "names Amazon Linux 1 or 2, which AWS no longer creates",
    ),
    "platform_oldest": (
        {"platform_identifier": "notebook-al1-v1"},
        "names Amazon Linux 1 or 2, which AWS no longer creates",
    ),
    "isolated_unbounded": (
        {"isolation": {**ISOLATION, "permissions_boundary_arn": None}},
        "The isolation needs a permissions_boundary_arn",
    ),
    "role_name": ({"role_arn": "acme-ml-notebook"}, "The role_arn must be the ARN"),
    "no_groups": ({"security_group_ids": []}, "The security_group_ids are one to five"),
    "six_groups": (
        {"security_group_ids": [f"sg-0a1b2c3d4e5f6789{digit}" for digit in range(6)]},
        "The security_group_ids are one to five",
    ),
    "group_name": ({"security_group_ids": ["default"]}, "must be IDs of security groups"),
    "start_hour": ({"schedule_start": "24:00"}, "The schedule_start must be a time from 00:00"),
    "start_short": ({"schedule_start": "8:00"}, "The schedule_start must be a time from 00:00"),
    "stop_minute": ({"schedule_stop": "19:60"}, "The schedule_stop must be a time from 00:00"),
    "days_three_ends": (
        {"schedule_days": "MON-FRI-SUN"},
        "The schedule_days must be days such as MON-FRI",
    ),
    "days_small": ({"schedule_days": "mon-fri"}, "The schedule_days must be days such as MON-FRI"),
    "zone_offset": ({"schedule_timezone": "+01:00"}, "must be a name of the tz database"),
    "subnet_name": ({"subnet_id": "private"}, "The subnet_id must be a subnet's ID"),
    "notebook_tag": ({"tags": {"noteBook": "mine"}}, "The tags must not name Notebook"),
    "many_tags": ({"tags": {f"t{n}": "" for n in range(51)}}, "The tags are 50 at most"),
    "volume_4": ({"volume_size": 4}, "The volume_size must be a whole number of GB from 5"),
    "volume_16385": ({"volume_size": 16385}, "The volume_size must be a whole number of GB from 5"),
    "volume_half": ({"volume_size": 7.5}, "The volume_size must be a whole number of GB from 5"),
}


@pytest.fixture(scope="module")
def refusals(planning: Tree) -> dict[str, list[str]]:
    calls = {call: BASE | bad for call, (bad, _) in REFUSED.items()}
    return planning.refusals(planning.write_calls("module-refused", calls))


@pytest.mark.parametrize("call", REFUSED)
def test_bad_values_are_refused(refusals: dict[str, list[str]], call: str) -> None:
    (refusal,) = refusals[call]
    assert REFUSED[call][1] in refusal


ISOLATED_REFUSED = {
    "Nlp": "Nlp cannot be isolated",
    "a--b": "a--b cannot be isolated",
    "n" * 48: "and IAM takes 64 characters; choose a shorter name",
}


def test_names_that_would_not_isolate_are_refused(planning: Tree) -> None:
    calls = {
        f"isolated_{place}": {**BASE, "isolation": ISOLATION, "name": name}
        for place, name in enumerate(ISOLATED_REFUSED)
    }
    refusals = planning.refusals(planning.write_calls("module-isolated-refused", calls))
    said = " ".join(" ".join(refusals["isolation"]).split())
    for refusal in ISOLATED_REFUSED.values():
        assert refusal in said


def test_what_no_single_value_shows_is_refused(planning: Tree) -> None:
    """Types without drivers in Amazon Linux 2023, and a notebook without any role."""
    types = ("p2.xlarge", "p3.2xlarge", "p3dn.24xlarge", "inf1.xlarge", "g3.4xlarge")
    calls: dict[str, dict[str, Any]] = {
        f"type_{place}": {**BASE, "instance_type": f"ml.{name}"} for place, name in enumerate(types)
    }
    calls["newer"] = {**BASE, "instance_type": "ml.p4d.24xlarge"}
    calls["no_role"] = {**BASE, "name": "roleless", "role_arn": None}
    refusals = planning.refusals(planning.write_calls("module-whole-refused", calls))
    said = " ".join(" ".join(refusals["notebook"] + refusals["isolation"]).split())
    for name in types:
        assert f"ml.{name} does not run Amazon Linux 2023" in said
    assert "p4d" not in said
    assert "roleless has neither role_arn nor isolation: give it one of them" in said
