"""Root modules that are no stacks, and why."""

from pathlib import Path

import pytest

from tests.trees import reading, write_stack
from tools.layout.repository import Repository
from tools.layout.unmanaged_roots import Directory, find_directories


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in ("shared-infra", "modules", "notebooks", "elsewhere"):
        (tmp_path / folder).mkdir()
    write_stack(tmp_path, "shared-infra/s", "")
    return tmp_path


def unmanaged(root: Path) -> dict[str, str]:
    repository = Repository(root, env={"PATH": ""})
    stacks = repository.stacks()
    assert [stack.name for stack in stacks if stack.name != "shared-infra/s"] == [
        name for name in ("notebooks/real",) if (root / name).is_dir()
    ]
    return {found.stack.name: found.reason for found in repository.unmanaged()}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("notebooks/.hidden", "its name begins with a dot"),
        ("notebooks/team-a/alice", "stacks lie directly in notebooks"),
        ("notebooks/team-a/x/bob", "stacks lie directly in notebooks"),
        ("shared-infra/real/nested", "stacks lie directly in shared-infra"),
        ("notebooks/a/b/c/d/e/f/g/h", "stacks lie directly in notebooks"),
        ("notebooks", "the directories in notebooks are stacks, and it is none itself"),
    ],
)
def test_what_terraform_takes_for_a_root_is_listed_with_the_reason(
    root: Path, name: str, reason: str
) -> None:
    write_stack(root, name, reading("shared-infra/s"))
    assert unmanaged(root) == {name: reason}


def test_a_folder_of_stacks_that_is_not_there_holds_none(root: Path) -> None:
    (root / "notebooks").rmdir()
    names = ["shared-infra", "shared-infra/s", "notebooks"]
    assert find_directories(root) == [Directory(name) for name in names]
    assert Repository(root, env={"PATH": ""}).unmanaged() == []


def test_a_symbolic_link_to_a_root(root: Path) -> None:
    write_stack(root, "elsewhere/x", reading("shared-infra/s"))
    (root / "notebooks/link").symlink_to("../elsewhere/x")
    (root / "notebooks/file").symlink_to("../elsewhere/x/main.tf")
    (root / "notebooks/broken").symlink_to("../nowhere")
    assert unmanaged(root) == {"notebooks/link": "a symbolic link to ../elsewhere/x"}


def test_a_root_of_opentofu_s_files_alone(root: Path) -> None:
    for name in ("one/main.tofu", "two/main.tofu.json"):
        (root / "notebooks" / name).parent.mkdir()
        (root / "notebooks" / name).touch()
    reason = "only OpenTofu reads its files, and Terraform is used"
    assert unmanaged(root) == {"notebooks/one": reason, "notebooks/two": reason}
    (root / "tofu").touch(mode=0o755)
    repository = Repository(root, env={"PATH": str(root)})
    assert [s.name for s in repository.stacks()][1:] == ["notebooks/one", "notebooks/two"]
    assert repository.unmanaged() == []


def test_what_a_stack_calls_and_what_init_makes_is_no_root(root: Path) -> None:
    real = write_stack(root, "notebooks/real", 'module "m" {\n  source = "./modules/m"\n}\n')
    write_stack(real, "modules/m", "")
    write_stack(real, ".terraform/modules/x", "")
    write_stack(real, "modules/left", "")
    (real / "data").mkdir()
    assert list(unmanaged(root)) == ["notebooks/real/modules/left"]


def test_it_reads_the_stacks_all_the_same(root: Path) -> None:
    write_stack(
        root, "notebooks/team-a/alice", reading("shared-infra/s").replace("../../", "../../../")
    )
    write_stack(root, "elsewhere/deep/x", reading("shared-infra/s").replace("../../", "../../"))
    (root / "notebooks/link").symlink_to("../elsewhere/deep/x")
    found = {u.stack.name: u.stack.upstream for u in Repository(root).unmanaged()}
    # The operating system follows the link before the two dots: elsewhere/shared-infra.
    assert found == {"notebooks/team-a/alice": ("shared-infra/s",), "notebooks/link": ()}
