"""`tools upgrade` as a process: one question, all directories or none."""

from pathlib import Path

from tests.trees import REPOSITORY
from tools.scaffold import upgrade

from .conftest import Checkout

EIGHT_FILES = upgrade.read_layouts(REPOSITORY / "templates/notebook")[0]


def make_old(root: Path, name: str, **changed: str) -> dict[str, str]:
    """A notebook of the older layout; returns its files."""
    directory = root / "notebooks" / name
    directory.mkdir(parents=True)
    files = {**EIGHT_FILES, **{f"{file}.tf": text for file, text in changed.items()}}
    for file, text in files.items():
        (directory / file).write_text(text)
    return content(root, name)


def content(root: Path, name: str) -> dict[str, str]:
    return {path.name: path.read_text() for path in (root / "notebooks" / name).iterdir()}


def test_one_that_does_not_fit_keeps_all_from_being_written(small: Checkout) -> None:
    work = small.root / ".tools/local/workspace"
    (small.root / "common.auto.tfvars").write_text('project = "p"\nregion = "us-east-1"\n')
    changed = EIGHT_FILES["main.tf"].replace("var.subnet_id", '"subnet-0a1b2c3d"')
    before = {"a": make_old(work, "a"), "b": make_old(work, "b", main=changed)}
    (work / "notebooks" / "link").symlink_to("a")
    done = small.tools("upgrade", "--local")
    assert done.returncode == 1, done.stdout
    assert "notebooks/b/main.tf, line 13: module.notebook: you changed subnet_id" in done.stderr
    assert "1 of your changes cannot be merged; nothing was written" in done.stderr
    assert {name: content(work, name) for name in before} == before

    looked = small.tools("upgrade", "--local", "a", "--dry-run")
    assert looked.returncode == 0, looked.stderr
    assert "--- notebooks/a/guard.tf\n+++ /dev/null" in looked.stdout
    assert content(work, "a") == before["a"]
    done = small.tools("upgrade", "--local", "a")
    assert done.returncode == 0, done.stderr
    assert "upgraded notebooks/a\n" in done.stderr
    assert "guard.tf" not in content(work, "a")
    assert content(work, "b") == before["b"]
