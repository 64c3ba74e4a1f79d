import json
from pathlib import Path

import pytest

from tests.trees import REPOSITORY, copy_repository
from tools.hcl import reading
from tools.layout.repository import Repository
from tools.localcloud import workspace


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(copy_repository(tmp_path / "repository"))


def terraform_files(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for folder in ("shared-infra", "modules", "notebooks")
        for path in sorted((root / folder).rglob("*.tf"))
    }


def test_the_terraform_is_the_same_byte_for_byte(repository: Repository, tmp_path: Path) -> None:
    copy = workspace.refresh(repository, tmp_path / "copy")
    assert terraform_files(copy.root) == terraform_files(repository.root)
    assert [s.name for s in copy.stacks()] == [s.name for s in repository.stacks()]
    link = copy.root / "shared-infra/s3/common.auto.tfvars"
    assert link.resolve() == copy.root / "common.auto.tfvars"


def test_project_and_region_are_the_repository_s_where_it_has_them(
    repository: Repository, tmp_path: Path
) -> None:
    assert workspace.refresh(repository, tmp_path / "copy").common()["project"] == "demo"
    (repository.root / "common.auto.tfvars").write_text(
        'project      = "acme"\nregion       = "eu-west-1"\nstate_bucket = "theirs"\n'
    )
    copy = workspace.refresh(repository, tmp_path / "copy")
    assert copy.common() == {"project": "acme", "region": "eu-west-1"}


def test_ids_of_an_aws_account_do_not_reach_the_local_cloud(
    repository: Repository, tmp_path: Path
) -> None:
    values = repository.root / "shared-infra/security-groups/terraform.tfvars"
    values.write_text('vpc_id = "vpc-01234567"\n')
    copy = workspace.refresh(repository, tmp_path / "copy")
    overrides = copy.root / "shared-infra/security-groups/zz-local.auto.tfvars"
    assert reading.read_tfvars(overrides) == {"vpc_id": None}


def test_states_locks_and_backends_stay_where_they_are(
    repository: Repository, tmp_path: Path
) -> None:
    stack = repository.root / "shared-infra/s3"
    for name in (
        "terraform.tfstate",
        "terraform.tfstate.backup",
        ".terraform.lock.hcl",
        "backend.tf",
    ):
        (stack / name).touch()
    copy = workspace.refresh(repository, tmp_path / "copy")
    names = {path.name for path in (copy.root / "shared-infra/s3").iterdir()}
    assert not names & {
        "terraform.tfstate",
        "terraform.tfstate.backup",
        ".terraform.lock.hcl",
        "backend.tf",
    }


def test_a_change_and_a_removal_reach_the_copy_and_its_state_stays(
    repository: Repository, tmp_path: Path
) -> None:
    copy = workspace.refresh(repository, tmp_path / "copy").root
    (copy / "shared-infra/s3/terraform.tfstate").write_text("{}")
    (repository.root / "shared-infra/s3/outputs.tf").unlink()
    (repository.root / "shared-infra/s3/variables.tf").write_text("# changed\n")
    workspace.refresh(repository, copy)
    assert not (copy / "shared-infra/s3/outputs.tf").exists()
    assert (copy / "shared-infra/s3/variables.tf").read_text() == "# changed\n"
    assert (copy / "shared-infra/s3/terraform.tfstate").read_text() == "{}"


def test_a_file_that_was_a_link_is_not_written_through_it(
    repository: Repository, tmp_path: Path
) -> None:
    stack = repository.root / "shared-infra/s3"
    (stack / "common.auto.tfvars").unlink()
    (stack / "common.auto.tfvars").write_text('project = "other"\n')
    (stack / "versions.tf").unlink()
    (stack / "versions.tf").symlink_to("../iam/versions.tf")
    copy = workspace.refresh(
        Repository(copy_repository(tmp_path / "before")), tmp_path / "copy"
    ).root
    shared = (copy / "common.auto.tfvars").read_text()
    workspace.refresh(repository, copy)
    assert (copy / "common.auto.tfvars").read_text() == shared
    assert (copy / "shared-infra/s3/common.auto.tfvars").read_text() == 'project = "other"\n'
    assert (copy / "shared-infra/s3/versions.tf").readlink() == Path("../iam/versions.tf")


HELD = {
    "mode": "managed",
    "type": "aws_sagemaker_notebook_instance",
    "name": "n",
    "instances": [{}],
}


def state(*resources: dict[str, object]) -> str:
    return json.dumps({"lineage": "x", "serial": 1, "resources": resources, "outputs": {}})


@pytest.mark.parametrize(
    "file",
    [
        {"terraform.tfstate": state(HELD)},
        {"terraform.tfstate": ""},  # cut short, as on a full disk
        {"terraform.tfstate": state(), "errored.tfstate": state(HELD)},
        {"terraform.tfstate": state(), ".terraform.tfstate.lock.info": "{}"},  # killed, or at work
    ],
    ids=["deployed", "unreadable", "not written", "locked"],
)
def test_what_is_gone_here_and_deployed_there_stays_in_the_copy(
    repository: Repository, tmp_path: Path, file: dict[str, str]
) -> None:
    copy = workspace.refresh(repository, tmp_path / "copy").root
    for name, text in file.items():
        (copy / "notebooks/notebook-dev" / name).write_text(text)
    (repository.root / "notebooks/notebook-dev").rename(tmp_path / "notebook-dev")
    workspace.refresh(repository, copy)
    assert (copy / "notebooks/notebook-dev").is_dir()


def test_what_is_gone_here_and_holds_nothing_there_goes_from_the_copy(
    repository: Repository, tmp_path: Path
) -> None:
    """Never deployed, or destroyed."""
    copy = workspace.refresh(repository, tmp_path / "copy").root
    (copy / "notebooks/notebook-dev/terraform.tfstate").write_text(state())
    (copy / "notebooks/made-in-the-copy").mkdir()
    for name in ("notebook-dev", "notebook-prod"):
        (repository.root / "notebooks" / name).rename(tmp_path / name)
    workspace.refresh(repository, copy)
    left = {path.name for path in (copy / "notebooks").iterdir()}
    assert left == {"made-in-the-copy"}


def test_every_variable_that_takes_an_id_of_an_account_has_a_stand_in() -> None:
    declared = {
        name
        for path in REPOSITORY.glob("*/*/variables.tf")
        if path.parts[-3] in ("shared-infra", "notebooks")
        for name in reading.read_variables(path)
    }
    ids = {name for name in declared if name.endswith(("_id", "_ids", "_arn", "_arns"))}
    assert ids
    assert ids - workspace._STAND_INS.keys() == set()
