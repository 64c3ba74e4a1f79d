"""The commands that this was asked for with, word for word, in a fresh clone.

An answer stands for the person: `yes` where Terraform asks, and an edit by sed where an editor is
named. Where a word differs, the step says which and why.
"""

import io
import json
import pickle
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pyarrow.parquet
import pytest
from botocore.config import Config

from tests.cli.conftest import TOOLS
from tests.conftest import free_port
from tests.trees import copy_repository

from .conftest import Demo, Done

pytestmark = pytest.mark.nightly  # the provider waits a minute for the buckets' lifecycle rules

PROJECT = "word-for-word"
COPY = """\
cp terraform.tfvars.example terraform.tfvars
# Edit terraform.tfvars with your settings
"""
SHARED = """\
cd shared-infra/s3
terraform init
terraform apply
cd ../iam
terraform init
terraform apply
cd ../security-groups
terraform init
terraform apply
cd ../vpc-endpoints
terraform init
terraform apply
"""
NOTEBOOK = """\
cd notebooks/notebook-dev
terraform init
terraform apply
"""
NEW = """\
cp -r notebooks/notebook-dev notebooks/notebook-data-science
cd notebooks/notebook-data-science
nano terraform.tfvars
terraform init
terraform apply
"""
MONITORING = """\
aws sagemaker list-notebook-instances
aws sagemaker describe-notebook-instance --notebook-instance-name my-notebook
"""
# What a person runs in a cell; the project's name stands for <project>, and s3fs opens what joblib
# writes, since joblib takes a path or a file.
DATA = f"""\
import joblib, pandas as pd, s3fs
df = pd.read_csv('s3://{PROJECT}-datasets/raw/dataset.csv')
df.to_parquet('s3://{PROJECT}-datasets/processed/my_output.parquet')
model = dict(df.sum())
with s3fs.S3FileSystem().open('s3://{PROJECT}-models/experiments/alice/model-v1.pkl', 'wb') as file:
    joblib.dump(model, file)
"""
CLEANUP = """\
cd notebooks/notebook-dev && terraform destroy
cd ../notebook-prod && terraform destroy
cd ../../shared-infra/vpc-endpoints && terraform destroy
cd ../security-groups && terraform destroy
cd ../iam && terraform destroy
cd ../s3 && terraform destroy
"""
EMPTY = "echo 'force_destroy = true' >> terraform.tfvars\n"
# What the person types into terraform.tfvars.
EDIT = (
    f"sed -i -e 's/^# project = .*/project = \"{PROJECT}\"/' -e 's/^# region /region /'"
    " -e 's/^# vpc_id .*/vpc_id = \"default\"/' terraform.tfvars\n"
)
NANO = 'nano() { sed -i \'s/^owner .*/owner = "alice"/\' "$1"; }\n'


@pytest.fixture(scope="module")
def clone(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone that nothing was done in; its local cloud is the demo's, started again empty."""
    started = demo.types(f"tools local down && tools local up --port {demo.port}")
    assert started.code == 0, started
    return copy_repository(tmp_path_factory.mktemp("word-for-word") / "clone")


def types(demo: Demo, clone: Path, commands: str) -> Done:
    """What a person types in a shell that has read `tools local env`, answering yes."""
    return demo.in_shell(f"set -e\nyes yes | {{\n{commands}}}", clone)


def plain(done: Done) -> str:
    """What Terraform said on one line, without its colours and frames."""
    return " ".join(re.sub(r"\x1b\[[0-9;]*m|│", "", done.err).split())


class TestWordForWord:
    def test_a_fresh_clone_is_formatted(self, demo: Demo, clone: Path) -> None:
        done = types(demo, clone, "terraform fmt -recursive -check\n")
        assert done.code == 0, done

    def test_configuration_in_every_root(self, demo: Demo, clone: Path) -> None:
        shared = ("s3", "iam", "security-groups", "vpc-endpoints")
        roots = [*map("shared-infra/{}".format, shared)]
        for root in (*roots, "notebooks/notebook-dev", "notebooks/notebook-prod"):
            done = types(demo, clone / root, COPY + EDIT)
            assert done.code == 0, done

    def test_shared_infrastructure(self, demo: Demo, clone: Path) -> None:
        done = types(demo, clone, SHARED)
        assert done.code == 0, done
        assert done.out.count("Apply complete!") == 4
        for name in ("s3", "iam"):
            output = types(demo, clone / "shared-infra" / name, "terraform output\n")
            assert PROJECT in output.out, output

    def test_notebooks(self, demo: Demo, clone: Path) -> None:
        for commands in (NOTEBOOK, NOTEBOOK.replace("notebook-dev", "notebook-prod")):
            done = types(demo, clone, commands)
            assert done.code == 0, done
        url = types(demo, clone / "notebooks/notebook-dev", "terraform output notebook_url\n")
        assert url.out.startswith('"https://notebook-dev-'), url

    def test_a_new_notebook(self, demo: Demo, clone: Path) -> None:
        done = types(demo, clone, NANO + NEW)
        # The copy holds the original's state: an apply would replace the original's notebook. So
        # one word more is needed, which the error says.
        assert done.code != 0, done
        said = plain(done)
        assert "terraform.tfstate, the state of notebooks/notebook-dev" in said, done
        assert "delete terraform.tfstate* and .terraform" in said, done
        assert sorted(demo.instances()) == ["notebook-dev", "notebook-prod"]
        more = "cd notebooks/notebook-data-science\nrm -r terraform.tfstate* .terraform\n"
        done = types(demo, clone, more + "terraform init\nterraform apply\n")
        assert done.code == 0, done
        instances = demo.instances()
        assert sorted(instances) == ["notebook-data-science", "notebook-dev", "notebook-prod"]
        copy, original = instances["notebook-data-science"], instances["notebook-dev"]
        for shared in ("RoleArn", "SubnetId", "SecurityGroups"):
            assert copy[shared] == original[shared]
        assert demo.tags(copy)["Owner"] == "alice"

    def test_monitoring(self, demo: Demo, clone: Path) -> None:
        # A name of one's own instead of my-notebook.
        done = types(demo, clone, MONITORING.replace("my-notebook", "notebook-dev"))
        assert done.code == 0, done
        # Three in the list, and the one that is described.
        assert done.out.count('"NotebookInstanceStatus": "InService"') == 4

    def test_data(self, demo: Demo, clone: Path) -> None:
        s3 = demo.client("s3")
        datasets, models = f"{PROJECT}-datasets", f"{PROJECT}-models"
        s3.put_object(Bucket=datasets, Key="raw/dataset.csv", Body=b"hours,score\n1,53.0\n2,55.5\n")
        role = demo.instances()["notebook-dev"]["RoleArn"]
        given = demo.client("sts").assume_role(RoleArn=role, RoleSessionName="notebook-dev")
        keys = {
            "AWS_ACCESS_KEY_ID": given["Credentials"]["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": given["Credentials"]["SecretAccessKey"],
            "AWS_SESSION_TOKEN": given["Credentials"]["SessionToken"],
        }
        (clone.parent / "cell.py").write_text(DATA)
        exports = "".join(f"export {name}={value!r}\n" for name, value in keys.items())
        done = demo.in_shell(f"{exports}{sys.executable} ../cell.py\n", clone)
        assert done.code == 0, done
        # Read by others than what wrote: Arrow without pandas, and pickle.
        parquet = s3.get_object(Bucket=datasets, Key="processed/my_output.parquet")["Body"].read()
        table = pyarrow.parquet.read_table(io.BytesIO(parquet))
        assert table.to_pydict() == {"hours": [1, 2], "score": [53.0, 55.5]}
        model = s3.get_object(Bucket=models, Key="experiments/alice/model-v1.pkl")["Body"].read()
        assert pickle.loads(model) == {"hours": 3.0, "score": 108.5}

    def test_cleanup(self, demo: Demo, clone: Path) -> None:
        # The copy first, which the commands do not name.
        done = types(demo, clone, "cd notebooks/notebook-data-science && terraform destroy\n")
        assert done.code == 0, done
        *others, last = CLEANUP.splitlines(keepends=True)
        done = types(demo, clone, "".join(others))
        assert done.code == 0, done
        # AWS deletes no bucket with objects, which the data above are: one value more is needed.
        done = types(demo, clone / "shared-infra/iam", last)
        assert done.code != 0, done
        assert "BucketNotEmpty" in plain(done), done
        done = types(
            demo, clone / "shared-infra/s3", EMPTY + "terraform apply\nterraform destroy\n"
        )
        assert done.code == 0, done
        assert demo.instances() == {}
        buckets = {bucket["Name"] for bucket in demo.client("s3").list_buckets()["Buckets"]}
        assert not [name for name in buckets if name.startswith(PROJECT)]


BUCKET = """\
aws s3 mb s3://my-terraform-state-bucket
aws s3api put-bucket-versioning --bucket my-terraform-state-bucket --versioning-configuration Status=Enabled
"""  # noqa: E501 - as it was written
BACKEND = """\
terraform {
  backend "s3" {
    bucket         = "my-terraform-state-bucket"
    key            = "ml-infra/shared-infra/s3/terraform.tfstate"
    region         = "us-east-1"
    encrypt        = true
    dynamodb_table = "terraform-locks"
  }
}
"""


@pytest.fixture(scope="module")
def lock_table() -> Iterator[str]:
    """A shell's export that leads to a DynamoDB with the table: LocalStack has none offline."""
    port = free_port()
    command = [str(TOOLS.with_name("moto_server")), "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as server:
        try:
            endpoint = f"http://127.0.0.1:{port}"
            config = Config(retries={"total_max_attempts": 20, "mode": "standard"})
            dynamodb = boto3.client(
                "dynamodb",
                endpoint_url=endpoint,
                region_name="us-east-1",
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=config,
            )
            dynamodb.create_table(
                TableName="terraform-locks",
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": "LockID", "AttributeType": "S"}],
                KeySchema=[{"AttributeName": "LockID", "KeyType": "HASH"}],
            )
            yield f"export AWS_ENDPOINT_URL_DYNAMODB={endpoint}\n"
        finally:
            server.terminate()


class TestRemoteState:
    """In a clone of its own, with one root that is soon made: each root's key names the root."""

    ROOT = "shared-infra/security-groups"

    def test_the_bucket(self, demo: Demo, clone: Path) -> None:
        done = types(demo, clone, BUCKET)
        assert done.code == 0, done

    def test_the_backend_in_versions_tf(self, demo: Demo, clone: Path, lock_table: str) -> None:
        versions = clone / self.ROOT / "versions.tf"
        block = BACKEND.replace("shared-infra/s3", self.ROOT)
        versions.write_text(f"{versions.read_text()}\n{block}")
        applied = "terraform init -migrate-state\nterraform apply\n"
        # The story before has left an empty state here, which init asks about.
        done = types(demo, clone / self.ROOT, f"{lock_table}{applied}")
        assert done.code == 0, done
        key = f"ml-infra/{self.ROOT}/terraform.tfstate"
        found = demo.client("s3").get_object(Bucket="my-terraform-state-bucket", Key=key)
        assert json.load(found["Body"])["resources"] != []

    def test_tools_reads_it_there(self, demo: Demo, clone: Path, lock_table: str) -> None:
        # What reads the state has to know the bucket, which the commands leave to the person.
        with (clone / "common.auto.tfvars").open("a") as file:
            file.write('state_bucket = "my-terraform-state-bucket"\n')
        done = types(demo, clone, f"{lock_table}tools graph --format json {self.ROOT}\n")
        assert done.code == 0, done
        assert "unknown" not in done.err, done

    def test_a_copy_is_refused(self, demo: Demo, clone: Path, lock_table: str) -> None:
        copy = "cp -r shared-infra/security-groups shared-infra/more-groups\n"
        copy += "cd shared-infra/more-groups\nterraform init\nterraform apply\n"
        done = types(demo, clone, lock_table + copy)
        assert done.code != 0, done
        said = plain(done)
        assert f"has a backend block that names the state of {self.ROOT}" in said, done

    def test_its_end(self, demo: Demo, clone: Path, lock_table: str) -> None:
        done = types(demo, clone / self.ROOT, f"{lock_table}terraform destroy\n")
        assert done.code == 0, done
