from pathlib import Path

import pytest
from jinja2 import UndefinedError

from tests.trees import LAYOUT, REPOSITORY, copy_repository
from tools.errors import UserError
from tools.hcl import reading
from tools.layout.repository import Repository
from tools.scaffold import notebook, render

TEMPLATES = REPOSITORY / "templates" / "notebook"
TYPES = render.variables(TEMPLATES)
REQUIRED = {"instance_type": "ml.t3.medium", "owner": "o", "purpose": "p", "environment": "dev"}


def make(name: str, /, **values: object) -> notebook.Notebook:
    return notebook.make(name, {**REQUIRED, **values}, TYPES)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(copy_repository(tmp_path, *LAYOUT))


def listing(repository: Repository) -> list[str]:
    return sorted(path.name for path in (repository.root / "notebooks").iterdir())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# Made by `tools new-notebook`; edit it.\n\na = 1\n", "# head\n\na = 1\n"),
        ("# Of our own template.\na = 1\n", "# head\n\n# Of our own template.\na = 1\n"),
    ],
)
def test_a_head_takes_the_place_of_the_templates_and_of_nothing_else(
    text: str, expected: str
) -> None:
    assert render.set_head(text, "# head") == expected


@pytest.mark.parametrize("name", ["notebook-dev", "notebook-prod"])
def test_the_notebooks_of_the_repository_are_what_the_templates_make(name: str) -> None:
    directory = REPOSITORY / "notebooks" / name
    made = notebook.make(name, reading.read_tfvars(directory / "terraform.tfvars"), TYPES)
    stale = [
        file
        for file, content in render.files(made, TEMPLATES).items()
        if (directory / file).read_bytes() != content
    ]
    assert not stale, (
        f"made otherwise now: move {directory} away and run `tools new-notebook {name}`"
    )
    assert (directory / "common.auto.tfvars").readlink() == Path("../../common.auto.tfvars")


def test_nothing_that_is_made_names_its_directory() -> None:
    for file, text in render.render(make("unmistakable"), TEMPLATES).items():
        assert "unmistakable" not in text, file


def test_every_variable_is_in_the_example(tmp_path: Path) -> None:
    example = (TEMPLATES / "terraform.tfvars.example.j2").read_text()
    missing = [name for name in TYPES if f"\n{name} " not in example.replace("\n# ", "\n")]
    assert not missing


def test_a_template_that_asks_for_what_is_not_there_fails(tmp_path: Path) -> None:
    (tmp_path / "main.tf.j2").write_text("{{ nothing_called_so }}")
    with pytest.raises(UndefinedError):
        render.render(make("a"), tmp_path)


def test_writes_every_notebook_with_its_files(repository: Repository) -> None:
    before = listing(repository)
    written = render.write([make("one"), make("two")], repository, TEMPLATES)
    assert [path.name for path in written] == ["one", "two"]
    assert listing(repository) == sorted([*before, "one", "two"])
    assert {path.name for path in written[0].iterdir()} == {
        *render.files(make("one"), TEMPLATES),
        "common.auto.tfvars",
    }


@pytest.mark.parametrize(
    ("taken", "complaint"),
    [
        ("notebook-dev", "notebooks/notebook-dev exists already"),
        ("Notebook-DEV", "only by case"),
        ("one", "one is named 2 times"),
    ],
)
def test_a_name_that_is_taken_writes_none(
    repository: Repository, taken: str, complaint: str
) -> None:
    before = listing(repository)
    with pytest.raises(UserError, match=complaint):
        render.write([make("one"), make(taken)], repository, TEMPLATES)
    assert listing(repository) == before


def test_a_symbolic_link_with_the_name_is_not_followed(
    repository: Repository, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (repository.root / "notebooks" / "one").symlink_to(outside)
    with pytest.raises(UserError, match="exists already"):
        render.write([make("one")], repository, TEMPLATES)
    assert list(outside.iterdir()) == []


def test_an_instance_name_that_is_taken_is_refused(repository: Repository) -> None:
    with pytest.raises(UserError, match="has an instance called notebook-dev"):
        render.write([make("one", name="notebook-dev")], repository, TEMPLATES)


def test_a_failure_half_way_leaves_nothing(repository: Repository) -> None:
    before = listing(repository)
    # A file where the second directory belongs: the check looks at directories, the rename fails.
    (repository.root / "notebooks" / "two").touch()
    with pytest.raises(UserError, match="two exists already; nothing was written"):
        render.write([make("one"), make("two")], repository, TEMPLATES)
    assert listing(repository) == sorted([*before, "two"])


def test_a_full_or_read_only_disk_is_one_clear_error(repository: Repository) -> None:
    notebooks = repository.root / "notebooks"
    notebooks.rename(repository.root / "elsewhere")
    notebooks.symlink_to("/dev/fd")  # lists, and lets not even root make a directory
    with pytest.raises(UserError, match="cannot write"):
        render.write([make("one")], repository, TEMPLATES)


def test_missing_templates_are_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"there are no templates in {tmp_path}; git checkout"):
        render.render(notebook.Notebook("any", {}), tmp_path)
