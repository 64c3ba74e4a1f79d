from pathlib import Path

import pytest

from tests.trees import REPOSITORY, reading, write_stack
from tools.errors import UserError
from tools.hcl import cache, configuration, syntax
from tools.layout.repository import Repository
from tools.state.checks import check_states


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    for folder in ("shared-infra", "modules", "notebooks"):
        (tmp_path / folder).mkdir()
    return Repository(tmp_path)


def test_the_order_is_in_the_code() -> None:
    documented = ("s3", "iam", "security-groups", "vpc-endpoints", "notebook-dev", "notebook-prod")
    names = [stack.path.name for stack in Repository(REPOSITORY).stacks()]
    assert [name for name in names if name in documented] == list(documented)


def test_a_new_shared_stack_takes_its_place_by_itself(repository: Repository) -> None:
    write_stack(repository.root, "shared-infra/a-last", reading("shared-infra/z-first"))
    write_stack(repository.root, "shared-infra/z-first", "")
    write_stack(repository.root, "notebooks/n", reading("shared-infra/a-last"))
    names = [stack.name for stack in repository.stacks()]
    assert names == ["shared-infra/z-first", "shared-infra/a-last", "notebooks/n"]


def test_a_state_of_another_repository_is_not_upstream(repository: Repository) -> None:
    for name, config in (
        ("a", '{ path = "../../../other/terraform.tfstate" }'),
        ("b", '{ key = "network/terraform.tfstate" }'),
        ("c", '{ path = "/srv/terraform.tfstate" }'),
        ("d", '{ path = "../../../elsewhere/notebooks/a/terraform.tfstate" }'),
    ):
        kind = "s3" if "key" in config else "local"
        text = (
            f'data "terraform_remote_state" "x" {{\n  backend = "{kind}"\n  config = {config}\n}}\n'
        )
        write_stack(repository.root, f"notebooks/{name}", text)
    assert [stack.upstream for stack in repository.stacks()] == [()] * 4


def test_a_second_run_parses_no_state_s_path_again(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_stack(repository.root, "shared-infra/z", "")
    write_stack(repository.root, "notebooks/a", reading("shared-infra/z"))
    expected = [(), ("shared-infra/z",)]
    assert [stack.upstream for stack in repository.stacks()] == expected
    monkeypatch.setattr(cache, "_known", {})  # as in a new process
    configuration.read_pieces.cache_clear()
    monkeypatch.setattr(syntax, "parse_file", None)  # whoever parses, fails
    assert [stack.upstream for stack in repository.stacks()] == expected
    write_stack(repository.root, "notebooks/a", reading("shared-infra/y"))
    with pytest.raises(TypeError):
        repository.stacks()


def test_names_the_circle_that_stacks_read_each_other_in(repository: Repository) -> None:
    write_stack(repository.root, "shared-infra/a", reading("shared-infra/b"))
    write_stack(repository.root, "shared-infra/b", reading("shared-infra/a"))
    with pytest.raises(
        UserError, match=r"circle: shared-infra/\w -> shared-infra/\w -> shared-infra/\w;"
    ):
        repository.stacks()


def test_what_is_no_stack_is_left_out(repository: Repository) -> None:
    real = write_stack(repository.root, "notebooks/real", "")
    (repository.root / "notebooks" / "link").symlink_to(real)
    (repository.root / "notebooks" / "empty").mkdir()
    (repository.root / "notebooks" / "README.md").touch()
    write_stack(repository.root, "notebooks/.hidden", "")
    assert [stack.name for stack in repository.stacks()] == ["notebooks/real"]


@pytest.mark.parametrize(
    ("pattern", "chosen"),
    [
        ("notebooks/nlp-a", ["notebooks/nlp-a"]),
        ("nlp-a", ["notebooks/nlp-a"]),
        ("notebooks/nlp-a/", ["notebooks/nlp-a"]),
        ("notebooks/nlp-*", ["notebooks/nlp-a", "notebooks/nlp-b"]),
        ("nlp-*", ["notebooks/nlp-a", "notebooks/nlp-b"]),
        ("*-b", ["notebooks/nlp-b"]),
        ("*", ["notebooks/cv", "notebooks/nlp-a", "notebooks/nlp-b"]),
    ],
)
def test_selects_by_name_part_and_glob(
    repository: Repository, pattern: str, chosen: list[str]
) -> None:
    for name in ("nlp-a", "nlp-b", "cv"):
        write_stack(repository.root, f"notebooks/{name}", "")
    assert [stack.name for stack in repository.select([pattern])] == chosen


def test_suggests_the_name_that_was_meant(repository: Repository) -> None:
    write_stack(repository.root, "notebooks/timeseries", "")
    with pytest.raises(UserError, match="did you mean timeseries"):
        repository.select(["timeserie"])


def test_says_where_it_must_be_run(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is in no repository"):
        Repository.containing(tmp_path)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (None, "no project is set; run `tools init`"),
        ('region = "us-east-1"\n', "no project is set"),
        ('project = "p"\nregion = null\n', "no region is set"),
        ('project = "p\n', "line 1 cannot be read by this tool"),
    ],
)
def test_says_what_is_wrong_with_what_was_typed_once(
    repository: Repository, text: str | None, complaint: str
) -> None:
    if text is not None:
        (repository.root / "common.auto.tfvars").write_text(text)
    with pytest.raises(UserError, match=complaint):
        repository.common()


DECLARED = 'variable "project" {}\nvariable "region" {\n  default = "eu-west-1"\n}\n'
IN = {"common": "common.auto.tfvars", "own": "a/terraform.tfvars", "last": "a/z.auto.tfvars"}


@pytest.mark.parametrize(
    ("texts", "env", "region"),
    [
        ({}, {}, "eu-west-1"),
        ({}, {"TF_VAR_region": "eu-west-2"}, "eu-west-2"),
        ({"own": "r = 1"}, {"TF_VAR_region": "eu-west-2"}, "eu-west-2"),
        ({"own": 'region = "eu-west-3"'}, {"TF_VAR_region": "eu-west-2"}, "eu-west-3"),
        ({"own": 'region = "eu-west-3"', "common": 'region = "eu-west-4"'}, {}, "eu-west-4"),
        ({"common": 'region = "eu-west-4"', "last": 'region = "eu-west-5"'}, {}, "eu-west-5"),
    ],
)
def test_what_all_share_is_found_as_terraform_finds_it(
    tmp_path: Path, texts: dict[str, str], env: dict[str, str], region: str
) -> None:
    """https://developer.hashicorp.com/terraform/language/values/variables"""
    for folder in ("shared-infra", "modules", "notebooks"):
        (tmp_path / folder).mkdir()
    stack = write_stack(tmp_path, "shared-infra/a", DECLARED)
    (stack / "common.auto.tfvars").symlink_to("../../common.auto.tfvars")
    (tmp_path / "common.auto.tfvars").write_text("# region = 1\n")
    for name, text in texts.items():
        folder = tmp_path if name == "common" else tmp_path / "shared-infra"
        (folder / IN[name]).write_text(f"{text}\n")
    found = Repository(tmp_path, env={"PATH": "", **env}).shared_values()
    assert found == {"region": region}


def test_stacks_that_disagree_on_what_all_share_are_refused(tmp_path: Path) -> None:
    for folder in ("shared-infra", "modules", "notebooks"):
        (tmp_path / folder).mkdir()
    for name in ("a", "b"):
        stack = write_stack(tmp_path, f"notebooks/{name}", DECLARED)
        (stack / "terraform.tfvars").write_text(f'project = "{name}"\n')
    with pytest.raises(UserError, match="project is a in notebooks/a and b in notebooks/b; all"):
        Repository(tmp_path, env={"PATH": ""}).common()
    options = {"PATH": "", "TF_CLI_ARGS_plan": "-var project=c"}
    with pytest.raises(UserError, match="project of notebooks/a is not known without Terraform"):
        Repository(tmp_path, env=options).common()


def test_refuses_a_directory_copied_with_its_state(repository: Repository) -> None:
    state = '{\n  "version": 4,\n  "lineage": "5b0f",\n  "serial": 1\n}\n'
    for name in ("original", "copy"):
        (write_stack(repository.root, f"notebooks/{name}", "") / "terraform.tfstate").write_text(
            state
        )
    (repository.root / "common.auto.tfvars").write_text('project = "p"\nregion = "r"\n')
    with pytest.raises(UserError, match="hold the same state"):
        check_states(repository)


def test_a_state_bucket_needs_a_backend_in_every_stack(repository: Repository) -> None:
    common = 'project = "p"\nregion = "r"\nstate_bucket = "b"\n'
    (repository.root / "common.auto.tfvars").write_text(common)
    write_stack(repository.root, "shared-infra/a", 'terraform {\n  backend "s3" {}\n}\n')
    check_states(repository)
    write_stack(repository.root, "notebooks/n", "")
    with pytest.raises(UserError, match="notebooks/n keeps its state on this machine"):
        check_states(repository)


@pytest.mark.parametrize(
    "text",
    [
        '\ufeffvariable "x" {}\n',
        'output "x" {\n  value = <<EOT\nx\nEOT  \n}\n',
        'output "x" {\n  value /* c */ = 1\n}\n',
        'output "x" {\n  value = "${~ "y" ~}"\n}\n',
        'output "x" {\n  value = "$${ only"\n}\n',
        'output "größe" {\n  value = 1\n}\n',
        'output "x" {\n  value = = 1\n}\n',
        'data "terraform_remote_state" "x" {\n  = = 1\n}\n',
    ],
)
def test_one_file_in_an_unusual_form_stops_no_other_stack(
    repository: Repository, text: str
) -> None:
    write_stack(repository.root, "notebooks/a", "")
    (write_stack(repository.root, "notebooks/b", "") / "main.tf").write_text(text, encoding="utf-8")
    (repository.root / "notebooks/b/terraform.tfvars").write_text('name = "größe\n')
    assert [stack.name for stack in repository.stacks()] == ["notebooks/a", "notebooks/b"]
    assert repository.instance_names() == {"a": "a", "b": "b"}
    reasons = [stack.unknown_reads for stack in repository.stacks()]
    assert reasons[0] == ()
    assert all("main.tf" in reason for reason in reasons[1])
    assert bool(reasons[1]) is ("terraform_remote_state" in text)
