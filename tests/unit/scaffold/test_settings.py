import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.trees import LAYOUT, copy_repository
from tools.errors import UserError
from tools.hcl import reading
from tools.layout.repository import Repository
from tools.scaffold import settings
from tools.scaffold.settings import Settings


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(copy_repository(tmp_path, *LAYOUT))


def test_each_answer_is_written_once(repository: Repository) -> None:
    answers = Settings(
        "acme", "eu-west-1", "vpc-01234567", ["subnet-01234567"], ["rtb-01234567"], "state", "x"
    )
    written = settings.write(answers, repository)
    values = {str(path.relative_to(repository.root)): reading.read_tfvars(path) for path in written}
    assert {path.stat().st_mode & 0o111 for path in written} == {0}
    assert values == {
        "common.auto.tfvars": {"project": "acme", "region": "eu-west-1", "state_bucket": "state"},
        "shared-infra/s3/terraform.tfvars": {"bucket_suffix": "x"},
        "shared-infra/security-groups/terraform.tfvars": {"vpc_id": "vpc-01234567"},
        "shared-infra/vpc-endpoints/terraform.tfvars": {
            "subnet_ids": ["subnet-01234567"],
            "route_table_ids": ["rtb-01234567"],
        },
    }


def test_nothing_is_overwritten_and_nothing_half_written(repository: Repository) -> None:
    kept = repository.root / "shared-infra/vpc-endpoints/terraform.tfvars"
    kept.write_text("subnet_ids = []\n")
    with pytest.raises(UserError, match=r"left as it is: shared-infra/vpc-endpoints/terraform\."):
        settings.write(
            Settings("acme", "eu-west-1", "vpc-01234567", ["subnet-01234567"]), repository
        )
    assert kept.read_text() == "subnet_ids = []\n"
    assert reading.read_tfvars(repository.root / "common.auto.tfvars") == {}


def test_a_folder_that_is_missing_leaves_nothing_written(repository: Repository) -> None:
    shutil.rmtree(repository.root / "shared-infra/vpc-endpoints")
    answers = Settings("acme", "eu-west-1", "vpc-01234567", ["subnet-01234567"], bucket_suffix="x")
    with pytest.raises(
        UserError, match=r"cannot write .*/vpc-endpoints/terraform\.tfvars: No such"
    ):
        settings.write(answers, repository)
    assert list(repository.root.glob("shared-infra/*/terraform.tfvars")) == []
    assert reading.read_tfvars(repository.root / "common.auto.tfvars") == {}


def test_shared_values_that_cannot_be_written_leave_no_other_file(repository: Repository) -> None:
    common = repository.root / "common.auto.tfvars"
    common.unlink()
    common.mkdir()
    with pytest.raises(UserError, match="a folder is where a file has to be: move it away"):
        settings.write(Settings("acme", "eu-west-1", "default"), repository)
    assert list(repository.root.glob("shared-infra/*/terraform.tfvars")) == []


@pytest.mark.parametrize(
    ("answers", "complaint"),
    [
        ({"project": "Acme"}, "'Acme' is not a project name"),
        ({"project": "a"}, "2 to 32"),
        ({"project": "a" * 33}, "2 to 32"),
        ({"project": "acme-"}, "hyphens"),
        ({"project": "sg-acme"}, "not sg-"),
        ({"region": "eu-west-9"}, "did you mean eu-west-"),
        ({"region": ""}, "no region ''"),
        ({"vpc_id": "01234567", "subnet_ids": ["subnet-01234567"]}, "--vpc-id '01234567'"),
        ({"vpc_id": "vpc-01234567"}, "name at least one of its private subnets"),
        ({"vpc_id": None}, "--default-vpc for the region's default VPC"),
        ({"subnet_ids": ["subnet-1"]}, "--subnet-id 'subnet-1'"),
        ({"nat_subnet": "public"}, "--nat-subnet 'public'"),
        ({"nat_subnet": "10.0.0.1/28"}, "--nat-subnet '10.0.0.1/28': 10.0.0.1/28 has host bits"),
        ({"state_bucket": "BAD!"}, "--state-bucket 'BAD!'"),
        ({"bucket_suffix": "X"}, "--bucket-suffix 'X'"),
        ({"bucket_suffix": "x" * 22}, "at most 21"),
        ({"bucket_suffix": "s3alias"}, "S3 keeps names that end with -s3alias or -an"),
        ({"bucket_suffix": "x-an"}, "S3 keeps names that end with -s3alias or -an"),
        ({"state_bucket": "states--x-s3"}, "S3 refuses bucket names"),
    ],
)
def test_a_wrong_answer_names_the_rule(answers: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        Settings(**{"project": "acme", "region": "eu-west-1", "vpc_id": "default", **answers})
