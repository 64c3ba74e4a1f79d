import json
from pathlib import Path

import pytest

from tests.trees import REPOSITORY, copy_repository
from tools.errors import UserError
from tools.hcl import reading
from tools.layout.repository import Repository
from tools.localcloud import workspace
from tools.state.checks import check_states


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    folders = ("shared-infra", "modules", "notebooks", "common.auto.tfvars")
    return Repository(copy_repository(tmp_path / "repository", *folders))


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
    assert reading.read_tfvars(copy.root / "common.auto.tfvars") == {
        "project": "acme",
        "region": "eu-west-1",
    }


def test_ids_of_an_aws_account_do_not_reach_the_local_cloud(
    repository: Repository, tmp_path: Path
) -> None:
    values = repository.root / "shared-infra/security-groups/terraform.tfvars"
    values.write_text('vpc_id = "vpc-01234567"\n')
    copy = workspace.refresh(repository, tmp_path / "copy")
    overrides = copy.root / "shared-infra/security-groups/zz-local.auto.tfvars"
    assert reading.read_tfvars(overrides) == {"vpc_id": "default"}


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
    (stack / "common.auto.tfvars").write_text("# its own\n")
    (stack / "versions.tf").unlink()
    (stack / "versions.tf").symlink_to("../iam/versions.tf")
    copy = workspace.refresh(
        Repository(copy_repository(tmp_path / "before", "shared-infra", "modules", "notebooks")),
        tmp_path / "copy",
    ).root
    shared = (copy / "common.auto.tfvars").read_text()
    workspace.refresh(repository, copy)
    assert (copy / "common.auto.tfvars").read_text() == shared
    assert (copy / "shared-infra/s3/common.auto.tfvars").read_text() == "# its own\n"
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


def test_what_is_gone_here_and_deployed_there_is_an_orphan_until_it_is_destroyed(
    repository: Repository, tmp_path: Path
) -> None:
    """Of an orphan the state alone is there: nothing that Terraform reads as a root."""
    copy = workspace.refresh(repository, tmp_path / "copy").root
    directory = copy / "notebooks/notebook-dev"
    (directory / "terraform.tfstate").write_text(state(HELD))
    (directory / "backend.tf").touch()
    gone = repository.root / "notebooks/notebook-dev"
    gone.rename(tmp_path / "notebook-dev")
    workspace.refresh(repository, copy)
    assert {path.name for path in directory.iterdir()} == {"terraform.tfstate", ".from-repository"}
    workspace.refresh(repository, copy)
    assert (directory / "terraform.tfstate").read_text() == state(HELD)

    (tmp_path / "notebook-dev").rename(gone)  # as after `git checkout`: it goes on with its state
    again = workspace.refresh(repository, copy)
    assert "notebooks/notebook-dev" in [stack.name for stack in again.stacks()]
    assert (directory / "terraform.tfstate").read_text() == state(HELD)

    gone.rename(tmp_path / "notebook-dev")
    workspace.refresh(repository, copy)
    (directory / "terraform.tfstate").write_text(state())
    workspace.refresh(repository, copy)
    assert not directory.exists()


def test_what_was_interrupted_there_keeps_the_files_with_which_it_is_repaired(
    repository: Repository, tmp_path: Path
) -> None:
    copy = workspace.refresh(repository, tmp_path / "copy").root
    directory = copy / "notebooks/notebook-dev"
    (directory / "terraform.tfstate").write_text(state(HELD))
    (directory / "errored.tfstate").write_text(state(HELD))
    (repository.root / "notebooks/notebook-dev").rename(tmp_path / "notebook-dev")
    for _ in range(2):
        workspace.refresh(repository, copy)
        assert (directory / "main.tf").is_file()
    (directory / "errored.tfstate").unlink()
    workspace.refresh(repository, copy)
    assert not (directory / "main.tf").exists()


DEPLOYED = {"notebooks/notebook-dev/terraform.tfstate": state(HELD)}
OTHERS = [("acme", "us-east-1"), ("demo", "eu-west-1"), ("acme", "eu-west-1")]


def choose(repository: Repository, project: str, region: str) -> None:
    text = f'project = "{project}"\nregion  = "{region}"\n'
    (repository.root / "common.auto.tfvars").write_text(text)


@pytest.mark.parametrize(("project", "region"), OTHERS)
@pytest.mark.parametrize(
    "files",
    [
        DEPLOYED,
        {"notebooks/notebook-dev/terraform.tfstate": ""},
        {"shared-infra/s3/.terraform.tfstate.lock.info": "{}"},
        {"notebooks/team/alice/terraform.tfstate": state(HELD)},
        {"shared-infra/s3/.terraform/terraform.tfstate": '{"backend": {"type": "s3"}}'},
        {"bootstrap/terraform.tfstate": state(HELD)},
    ],
    ids=["deployed", "unreadable", "locked", "nested", "elsewhere", "bucket of states"],
)
def test_what_was_deployed_for_another_project_or_region_is_refused(
    repository: Repository, tmp_path: Path, files: dict[str, str], project: str, region: str
) -> None:
    copy = workspace.refresh(repository, tmp_path / "copy").root
    for name, text in files.items():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text(text)
    before = contents(copy)
    choose(repository, project, region)
    (repository.root / "shared-infra/s3/new.tf").touch()
    with pytest.raises(UserError) as refusal:
        workspace.refresh(repository, copy)
    assert str(refusal.value) == (
        "the local cloud was deployed for project demo in us-east-1, and this repository is now "
        f"{project} in {region}; start the local cloud empty: tools local reset"
    )
    assert contents(copy) == before
    choose(repository, "demo", "us-east-1")
    workspace.refresh(repository, copy)


def contents(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "files", [{}, {"shared-infra/s3/terraform.tfstate": state()}], ids=["never", "destroyed"]
)
def test_a_copy_that_holds_nothing_takes_another_project(
    repository: Repository, tmp_path: Path, files: dict[str, str]
) -> None:
    copy = workspace.refresh(repository, tmp_path / "copy").root
    for name, text in files.items():
        (copy / name).write_text(text)
    choose(repository, "acme", "eu-west-1")
    assert workspace.refresh(repository, copy).common()["project"] == "acme"


def test_what_is_made_in_the_copy_and_then_in_the_repository_is_the_repository_s(
    repository: Repository, tmp_path: Path
) -> None:
    copy = workspace.refresh(repository, tmp_path / "copy").root
    for root, file in ((copy, "extra.tf"), (repository.root, "main.tf")):
        (root / "notebooks/nlp").mkdir()
        (root / "notebooks/nlp" / file).write_text("# nlp\n")
    workspace.refresh(repository, copy)
    assert [path.name for path in (copy / "notebooks/nlp").glob("*.tf")] == ["main.tf"]


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
    left = {path.name for path in (copy / "notebooks").iterdir() if path.is_dir()}
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


@pytest.mark.parametrize("path", ["{elsewhere}/s3.tfstate", "../../../../s3.tfstate"])
def test_a_state_outside_of_the_copy_is_refused(
    repository: Repository, tmp_path: Path, path: str
) -> None:
    """Terraform would take the state of what is in AWS for the local cloud's."""
    named = path.format(elsewhere=tmp_path / "elsewhere")
    backend = f'terraform {{\n  backend "local" {{\n    path = "{named}"\n  }}\n}}\n'
    (repository.root / "shared-infra/s3/state.tf").write_text(backend)
    copy = workspace.refresh(repository, repository.root / ".tools/local/workspace")
    with pytest.raises(UserError, match=r"shared-infra/s3 keeps its state in .*not in the local"):
        check_states(copy)
    (repository.root / "shared-infra/s3/state.tf").write_text(
        backend.replace(named, "../../states/s3.json")
    )
    check_states(workspace.refresh(repository, copy.root))
