"""Which files of the repository the working copy has: git, the folders and the links decide.

The oracle is what `git status` shows, and what Terraform reads through a path: both by content.
"""

import errno
import os
import subprocess
from pathlib import Path

import pytest

from tools.errors import UserError
from tools.layout.repository import Repository
from tools.localcloud import mirror, workspace

STATE = '{"version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "x", "outputs": {}}'
# OpenTofu's, with an `encryption` block.
ENCRYPTED = '{"serial":1,"lineage":"x","meta":{"key":"x"},"encrypted_data":"x"}'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    write(root / "shared-infra/s3/main.tf", "# s3")
    write(root / "notebooks/nlp/main.tf", "# nlp")
    write(root / "modules/notebook/main.tf", "# module")
    write(root / "scripts/start.sh", "echo start")
    write(root / ".config/settings.json", "{}")
    write(root / ".gitignore", "secrets/\n*.tfvars\nbuild/\n.tools/\n")
    return root


@pytest.fixture
def with_git(root: Path) -> Path:
    git(root, "init", "-q")
    git(root, "add", "-A")
    return root


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def refresh(root: Path) -> Path:
    return workspace.refresh(Repository(root), root / ".tools/local/workspace").root


def test_what_git_does_not_ignore_is_there_and_goes_with_its_file(with_git: Path) -> None:
    write(with_git / "secrets/key.pem", "secret")
    write(with_git / "lambda/new/handler.py", "pass")  # not added yet
    write(with_git / "notebooks/nlp/build/out.zip", "zip")
    write(with_git / "notebooks/nlp/terraform.tfvars", 'owner = "a"')
    write(with_git / "notebooks/nlp/.my.auto.tfvars", 'purpose = "b"')
    copy = refresh(with_git)
    for name in (
        "scripts/start.sh",
        "lambda/new/handler.py",
        ".config/settings.json",
        # Ignored, but Terraform works there: as a build leaves it, and as values often are.
        "notebooks/nlp/build/out.zip",
        "notebooks/nlp/terraform.tfvars",
        "notebooks/nlp/.my.auto.tfvars",
    ):
        assert (copy / name).read_bytes() == (with_git / name).read_bytes(), name
    assert not (copy / "secrets").exists()
    assert not (copy / ".git").exists()
    assert not (copy / ".tools/local").exists()

    (with_git / "lambda/new/handler.py").unlink()
    (with_git / "scripts/start.sh").write_text("echo other")
    refresh(with_git)
    assert not (copy / "lambda").exists()
    assert (copy / "scripts/start.sh").read_text() == "echo other"


def test_what_git_still_has_in_its_index_goes_with_its_file_too(with_git: Path) -> None:
    """Such as after a plain `rm`: Terraform must not read in the copy what is not here."""
    write(with_git / "notebooks/nlp/extra.tf", "# extra")
    git(with_git, "add", "-A")
    (with_git / ".gitignore").unlink()  # before the first copy
    copy = refresh(with_git)
    assert not (copy / ".gitignore").exists()
    for name in ("notebooks/nlp/extra.tf", "scripts/start.sh"):
        (with_git / name).unlink()
    refresh(with_git)
    assert not (copy / "notebooks/nlp/extra.tf").exists()
    assert not (copy / "scripts").exists()


def test_what_goes_while_the_copy_is_made_goes_with_the_next(root: Path, tmp_path: Path) -> None:
    """Such as an editor's file: `update` gets names that were listed a moment ago."""
    paths = {"a.swp": root / "scripts/start.sh"}
    copy = tmp_path / "copy"
    noted = mirror.update(copy, paths, {}, lambda name: False, [])
    paths["a.swp"].unlink()
    noted = mirror.update(copy, paths, noted, lambda name: False, [])
    mirror.update(copy, {}, noted, lambda name: False, [])
    assert list(copy.iterdir()) == []


def test_a_hook_of_git_looks_at_the_repository_too(
    with_git: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "another-index"))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    write(with_git / "secrets/key.pem", "secret")
    copy = refresh(with_git)
    assert (copy / "scripts/start.sh").exists()
    assert not (copy / "secrets").exists()


def test_a_repository_within_is_there(with_git: Path) -> None:
    write(with_git / "vendor/lib/a.txt", "a")
    git(with_git / "vendor/lib", "init", "-q")
    copy = refresh(with_git)
    assert (copy / "vendor/lib/a.txt").read_text() == "a"
    assert not (copy / "vendor/lib/.git").exists()


@pytest.mark.parametrize("ignored_above", [False, True])
def test_without_git_all_but_hidden_folders_and_environments_is_there(
    root: Path, ignored_above: bool
) -> None:
    if ignored_above:  # as in a home directory whose own repository ignores everything
        git(root.parent, "init", "-q")
        (root.parent / ".gitignore").write_text("*\n")
    write(root / "env/pyvenv.cfg", "")
    write(root / "env/lib/huge.py", "")
    write(root / "notebooks/.team/main.tf", "# hidden")
    write(root / "notebooks/nlp/.terraform/providers/huge", "")
    copy = refresh(root)
    assert (copy / "scripts/start.sh").read_text() == "echo start"
    assert (copy / "notebooks/.team/main.tf").read_text() == "# hidden"
    assert (copy / ".gitignore").exists()
    for name in (".config", "env", "notebooks/nlp/.terraform"):
        assert not (copy / name).exists(), name


@pytest.mark.parametrize("text", [STATE, ENCRYPTED], ids=["plain", "encrypted"])
def test_no_state_is_copied_whatever_its_name(with_git: Path, text: str) -> None:
    """A backend "local" may name any file, and git may track it."""
    write(with_git / "states/s3.json", text)
    write(with_git / "states/README.md", "The serial and the lineage of a state ...")
    copy = refresh(with_git)
    assert not (copy / "states/s3.json").exists()
    assert (copy / "states/README.md").exists()
    # The local cloud's own stays, and stays out of the repository.
    write(copy / "states/s3.json", STATE.replace("x", "local"))
    refresh(with_git)
    assert "local" in (copy / "states/s3.json").read_text()
    assert (with_git / "states/s3.json").read_text() == text


def test_what_terraform_makes_in_the_copy_stays(with_git: Path) -> None:
    """Such as the file of a `local_file` or an `archive_file`: otherwise every plan makes it."""
    copy = refresh(with_git)
    made = write(copy / "notebooks/nlp/made.zip", "zip")
    foreign = write(copy / "notebooks/nlp/foreign.tf", "# read by Terraform in the copy alone")
    refresh(with_git)
    assert made.exists()
    assert not foreign.exists()


def test_a_directory_behind_a_link_out_of_the_repository_is_a_directory_in_the_copy(
    with_git: Path, tmp_path: Path
) -> None:
    outside = write(tmp_path / "outside/alice/main.tf", "# alice").parent
    write(outside / "terraform.tfstate", STATE)
    (outside / "again").symlink_to(outside)  # a circle
    (with_git / "notebooks/alice").symlink_to(outside)
    (with_git / "notebooks/bob").symlink_to(with_git / "lab/bob")  # by its whole path
    write(with_git / "lab/bob/main.tf", "# bob")
    copy = refresh(with_git)
    for name in ("alice", "bob"):
        directory = copy / "notebooks" / name
        assert (directory / "main.tf").read_text() == f"# {name}"
        assert not (directory / "terraform.tfstate").exists()
        (directory / "terraform.tfstate").write_text("local")
    assert (outside / "terraform.tfstate").read_text() == STATE
    assert not (with_git / "lab/bob/terraform.tfstate").exists()


def test_a_link_within_the_repository_is_a_link(with_git: Path) -> None:
    write(with_git / "lab/bob/main.tf", "# bob")
    (with_git / "notebooks/bob").symlink_to("../lab/bob")
    (with_git / "notebooks/nlp/nowhere").symlink_to("missing")
    (with_git / "notebooks/nlp/key").symlink_to("../../secrets/key")  # git ignores it
    write(with_git / "secrets/key", "k")
    copy = refresh(with_git)
    refresh(with_git)
    assert (copy / "notebooks/bob").readlink() == Path("../lab/bob")
    assert (copy / "notebooks/bob/main.tf").read_text() == "# bob"
    assert (copy / "notebooks/nlp/nowhere").is_symlink()
    assert (copy / "notebooks/nlp/key").read_text() == "k"


@pytest.mark.parametrize("is_interrupted", [False, True])
def test_folders_and_files_change_places(
    with_git: Path, monkeypatch: pytest.MonkeyPatch, is_interrupted: bool
) -> None:
    write(with_git / "tools.d/a", "a")
    copy = refresh(with_git)
    (with_git / "tools.d/a").unlink()
    (with_git / "tools.d").rmdir()
    write(with_git / "tools.d", "a file now")
    (with_git / "scripts/start.sh").unlink()
    write(with_git / "scripts/start.sh/main", "a folder now")
    if is_interrupted:
        with monkeypatch.context() as patch:
            patch.setattr(mirror.Note, "write", interrupt)  # Ctrl-C when all is copied
            with pytest.raises(KeyboardInterrupt):
                refresh(with_git)
    refresh(with_git)
    assert (copy / "tools.d").read_text() == "a file now"
    assert (copy / "scripts/start.sh/main").read_text() == "a folder now"


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_file_that_cannot_be_removed_is_named_with_the_mend(
    with_git: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = refresh(with_git)
    (with_git / "scripts/start.sh").unlink()

    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    # A stand-in: no file system here becomes read-only.
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(UserError) as caught:
        refresh(with_git)
    assert str(caught.value) == (
        f"cannot remove {copy}/scripts/start.sh: Read-only file system; "
        "the file system is read-only, so work in a copy"
    )


def test_a_pipe_is_not_waited_for(with_git: Path) -> None:
    """Whoever opens one waits until somebody writes to it."""
    pipe = with_git / "notebooks/nlp/pipe"
    os.mkfifo(pipe)
    with pipe.open("r+b", buffering=0) as writer:  # so that a failure does not wait either
        writer.write(b"x" * 4096)
        copy = refresh(with_git)
    assert (copy / "notebooks/nlp/main.tf").is_file()
    assert not (copy / "notebooks/nlp/pipe").exists()


def test_what_is_gone_from_the_copy_comes_again(
    with_git: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "_DOUBTFUL_SECONDS", 0)  # files of a moment ago count as noted
    copy = refresh(with_git)
    (copy / "scripts/start.sh").unlink()
    refresh(with_git)
    assert (copy / "scripts/start.sh").read_text() == "echo start"


def test_a_change_that_keeps_size_and_time_is_seen(with_git: Path) -> None:
    script = with_git / "scripts/start.sh"
    copy = refresh(with_git)
    refresh(with_git)
    before = script.stat()
    script.write_text("echo STOP!"[: before.st_size])
    os.utime(script, ns=(before.st_atime_ns, before.st_mtime_ns))
    refresh(with_git)
    assert (copy / "scripts/start.sh").read_text() == script.read_text()
