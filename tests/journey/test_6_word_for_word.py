"""The commands that this was asked for with, word for word, in a fresh clone.

An answer stands for the person: `yes` where Terraform asks, and an edit by sed where an editor is
named. Where a word differs, the step says which and why.
"""

from pathlib import Path

import pytest

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
CLEANUP = """\
cd notebooks/notebook-dev && terraform destroy
cd ../notebook-prod && terraform destroy
cd ../../shared-infra/vpc-endpoints && terraform destroy
cd ../security-groups && terraform destroy
cd ../iam && terraform destroy
cd ../s3 && terraform destroy
"""
# What the person types into terraform.tfvars.
EDIT = (
    f"sed -i -e 's/^# project = .*/project = \"{PROJECT}\"/' -e 's/^# region /region /'"
    " -e 's/^# vpc_id .*/vpc_id = \"default\"/' terraform.tfvars\n"
)
NANO = 'nano() { sed -i \'s/^owner .*/owner = "alice"/\' "$1"; }\n'


@pytest.fixture(scope="module")
def clone(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone that nothing was done in; its local cloud is the demo's, by now an empty one."""
    return copy_repository(tmp_path_factory.mktemp("word-for-word") / "clone")


def types(demo: Demo, clone: Path, commands: str) -> Done:
    """What a person types in a shell that has read `tools local env`, answering yes."""
    return demo.in_shell(f"set -e\nyes yes | {{\n{commands}}}", clone)


class TestWordForWord:
    def test_a_fresh_clone_is_formatted(self, demo: Demo, clone: Path) -> None:
        done = types(demo, clone, "terraform fmt -recursive -check\n")
        assert done.code == 0, done

    def test_configuration_in_every_root(self, demo: Demo, clone: Path) -> None:
        for name in ("s3", "iam", "security-groups", "vpc-endpoints"):
            done = types(demo, clone / "shared-infra" / name, COPY + EDIT)
            assert done.code == 0, done
        # Here the two notebooks have a terraform.tfvars of their own, so it is edited alone.
        for name in ("notebook-dev", "notebook-prod"):
            values = clone / "notebooks" / name / "terraform.tfvars"
            values.write_text(f'{values.read_text()}project = "{PROJECT}"\nregion  = "us-east-1"\n')

    def test_shared_infrastructure(self, demo: Demo, clone: Path) -> None:
        done = types(demo, clone, SHARED)
        assert done.code == 0, done
        assert done.out.count("Apply complete!") == 4
        for name in ("s3", "iam"):
            output = types(demo, clone / "shared-infra" / name, "terraform output\n")
            assert PROJECT in output.out, output

    def test_notebooks(self, demo: Demo, clone: Path) -> None:
        done = types(demo, clone, NOTEBOOK)
        assert done.code == 0, done
        url = types(demo, clone / "notebooks/notebook-dev", "terraform output notebook_url\n")
        assert url.out.startswith('"https://notebook-dev-'), url

    def test_a_new_notebook(self, demo: Demo, clone: Path) -> None:
        done = types(demo, clone, NANO + NEW)
        # The copy holds the original's state: an apply would replace the original's notebook. So
        # one word more is needed, which the error says.
        assert done.code != 0, done
        said = " ".join(done.err.replace("│", "").split())
        assert "terraform.tfstate, the state of notebooks/notebook-dev" in said, done
        assert "delete terraform.tfstate* and .terraform" in said, done
        assert sorted(demo.instances()) == ["notebook-dev"]
        more = "cd notebooks/notebook-data-science\nrm -r terraform.tfstate* .terraform\n"
        done = types(demo, clone, more + "terraform init\nterraform apply\n")
        assert done.code == 0, done
        instances = demo.instances()
        assert sorted(instances) == ["notebook-data-science", "notebook-dev"]
        copy, original = instances["notebook-data-science"], instances["notebook-dev"]
        for shared in ("RoleArn", "SubnetId", "SecurityGroups"):
            assert copy[shared] == original[shared]
        assert demo.tags(copy)["Owner"] == "alice"

    def test_monitoring(self, demo: Demo, clone: Path) -> None:
        # A name of one's own instead of my-notebook.
        done = types(demo, clone, MONITORING.replace("my-notebook", "notebook-dev"))
        assert done.code == 0, done
        assert done.out.count('"NotebookInstanceStatus": "InService"') == 3

    def test_cleanup(self, demo: Demo, clone: Path) -> None:
        # The copy first, which the commands do not name.
        done = types(demo, clone, "cd notebooks/notebook-data-science && terraform destroy\n")
        assert done.code == 0, done
        done = types(demo, clone, CLEANUP)
        assert done.code == 0, done
        assert demo.instances() == {}
        buckets = {bucket["Name"] for bucket in demo.client("s3").list_buckets()["Buckets"]}
        assert not [name for name in buckets if name.startswith(PROJECT)]
