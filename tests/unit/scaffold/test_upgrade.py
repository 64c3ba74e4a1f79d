"""Directories brought to today's templates: what the owner changed stays, or nothing is written.

The oracle is what the templates make today, and what the owner typed.
"""

import errno
import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.trees import REPOSITORY
from tools.errors import UserError
from tools.hcl import reading
from tools.scaffold import notebook, render, upgrade
from tools.scaffold.merge import MergeConflict
from tools.scaffold.upgrade import LeftAlone, Upgrade
from tools.system import files, processes

TEMPLATES = REPOSITORY / "templates" / "notebook"
LAYOUTS = upgrade.read_layouts(TEMPLATES)
TODAY = LAYOUTS[-1]
EIGHT_FILES = LAYOUTS[0]  # guard.tf, locals.tf, main.tf, outputs.tf, providers.tf, upstream.tf, ...
VALUES = 'owner = "o"\n'
STATE = '{"version": 4}'

Edits = Mapping[str, tuple[str, str]]


def make(
    tmp_path: Path, edits: Edits | None = None, layout: Mapping[str, str] = EIGHT_FILES
) -> Path:
    """A notebook's directory of an earlier layout; `edits` replace a text in a file."""
    directory = tmp_path / "notebooks" / "nlp"
    directory.mkdir(parents=True)
    for name, text in layout.items():
        old, new = (edits or {}).get(name, ("", ""))
        assert old in text
        (directory / name).write_text(text.replace(old, new, 1) if old else text)
    (directory / "terraform.tfvars").write_text(VALUES)
    (directory / "terraform.tfstate").write_text(STATE)
    (directory / ".terraform" / "modules").mkdir(parents=True)
    return directory


def plan(directory: Path) -> Upgrade:
    planned = upgrade.plan_upgrade(directory, TEMPLATES)
    assert isinstance(planned, Upgrade), planned
    return planned


def conflicts(directory: Path) -> list[str]:
    planned = upgrade.plan_upgrade(directory, TEMPLATES)
    assert isinstance(planned, list), planned
    assert all(isinstance(conflict, MergeConflict) for conflict in planned)
    return [str(conflict) for conflict in planned]


def content(directory: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in directory.iterdir() if path.is_file()}


@pytest.mark.parametrize("number", range(len(LAYOUTS) - 1))
def test_every_earlier_layout_becomes_what_is_made_today(tmp_path: Path, number: int) -> None:
    directory = make(tmp_path, layout=LAYOUTS[number])
    planned = plan(directory)
    assert planned.kept == ()
    upgrade.write(planned)
    own = {"terraform.tfvars": VALUES, "terraform.tfstate": STATE}
    assert content(directory) == {**TODAY, **own}
    assert (directory / ".terraform" / "modules").is_dir()
    assert [path.name for path in directory.parent.iterdir()] == ["nlp"]
    assert upgrade.plan_upgrade(directory, TEMPLATES) == LeftAlone(directory, upgrade.UP_TO_DATE)


def test_a_new_notebook_is_up_to_date(tmp_path: Path) -> None:
    directory = make(tmp_path, layout=TODAY)
    assert upgrade.plan_upgrade(directory, TEMPLATES) == LeftAlone(directory, upgrade.UP_TO_DATE)


KEPT: dict[str, tuple[Edits, str, str]] = {
    "an argument that fmt aligned anew": (
        {
            "main.tf": (
                "  tags                         = var.tags\n",
                "  tags                                = var.tags\n"
                "  security_group_ids_of_somebody_else = local.mine\n",
            ),
            "locals.tf": ("locals {\n", 'locals {\n  mine = ["sg-1"]\n\n'),
        },
        "main.tf",
        "  security_group_ids_of_somebody_else = local.mine\n",
    ),
    "a value of a variable": (
        {"variables.tf": ("  default     = 60\n", "  default     = 30\n")},
        "variables.tf",
        "  default     = 30\n",
    ),
    "the mission's place for a backend": (
        {"versions.tf": ("terraform {\n", 'terraform {\n  backend "s3" {\n    key = "k"\n  }\n\n')},
        "versions.tf",
        '  backend "s3" {\n    key = "k"\n  }\n',
    ),
    "a variable between others": (
        {"variables.tf": ('variable "owner"', 'variable "team" {\n}\n\nvariable "owner"')},
        "variables.tf",
        'variable "team" {\n}\n\nvariable "owner"',
    ),
    "a block of a file that the layout drops": (
        {"providers.tf": ('provider "aws"', 'provider "random" {\n}\n\nprovider "aws"')},
        "providers.tf",
        'provider "random" {\n}\n',
    ),
    "a local of a file that the layout drops": (
        {"locals.tf": ("locals {\n", "locals {\n  mine = 1\n")},
        "locals.tf",
        "locals {\n  mine = 1\n}\n",
    ),
    "a comment at the end": (
        {"main.tf": ("= var.tags\n}\n", "= var.tags\n}\n\n# ours\nlocals {\n  mine = 1\n}\n")},
        "main.tf",
        "}\n\n# ours\n",
    ),
}


@pytest.mark.parametrize("name", KEPT)
def test_what_the_owner_changed_stays(tmp_path: Path, name: str) -> None:
    edits, file, text = KEPT[name]
    directory = make(tmp_path, edits)
    planned = plan(directory)
    upgrade.write(planned)
    assert text in (directory / file).read_text()
    assert planned.kept
    # The rest is today's: without what is the owner's, every block is the template's.
    assert upgrade.plan_upgrade(directory, TEMPLATES) == LeftAlone(directory, upgrade.UP_TO_DATE)


def test_a_file_in_json_beside_them_stays(tmp_path: Path) -> None:
    """Terraform reads it besides, such as a backend; what it refers to has to stay too."""
    directory = make(tmp_path)
    backend = directory / "backend.tf.json"
    backend.write_text('{"terraform": {"backend": {"local": {"path": "x"}}}}')
    assert plan(directory).kept == ()
    backend.write_text('{\n  "output": {"o": {"value": "${local.stack}"}}\n}')
    (conflict,) = conflicts(directory)
    assert conflict.startswith("notebooks/nlp/backend.tf.json, line 2: it refers to local.stack,")


def test_what_the_owner_removed_stays_removed(tmp_path: Path) -> None:
    output = EIGHT_FILES["outputs.tf"].index('output "role_arn"')
    directory = make(tmp_path, {"outputs.tf": (EIGHT_FILES["outputs.tf"][output:], "")})
    planned = plan(directory)
    assert planned.kept == ("output.role_arn (removed)",)
    upgrade.write(planned)
    assert 'output "role_arn"' not in (directory / "outputs.tf").read_text()


REFUSED: dict[str, tuple[Edits, str, str]] = {
    "both changed": (
        {"main.tf": ("coalesce(var.role_arn,", 'coalesce("arn:mine",')},
        "",
        "notebooks/nlp/main.tf, line 11: module.notebook: you changed role_arn, and so does",
    ),
    "dropped": (
        {"upstream.tf": ('"s3"\n  config', '"http"\n  config')},
        "",
        "notebooks/nlp/upstream.tf, lines 4 to 10: you changed data.terraform_remote_state.iam, "
        "which the new layout does not have",
    ),
    "removed what changes": (
        {"outputs.tf": ("value       = data.terraform_remote_state.s3.outputs.bucket_names\n", "")},
        "",
        "notebooks/nlp/outputs.tf, line 5: output.bucket_names: you removed value, which the new",
    ),
    "an output reads what is gone": (
        {"outputs.tf": ("var.purpose", "local.directory")},
        "",
        "notebooks/nlp/outputs.tf, lines 43 to 46: it refers to local.directory, which the new",
    ),
    "a file of one's own reads what is gone": (
        {},
        'output "x" {\n  value = data.terraform_remote_state.iam.outputs.role_arn\n}\n',
        "notebooks/nlp/own.tf, lines 1 to 3: it refers to data.terraform_remote_state.iam, which",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_merged_names_file_and_lines(tmp_path: Path, name: str) -> None:
    edits, own, complaint = REFUSED[name]
    directory = make(tmp_path, edits)
    if own:
        (directory / "own.tf").write_text(own)
    (conflict,) = conflicts(directory)
    assert conflict.startswith(complaint)


def test_a_directory_that_no_template_made_is_left_alone(tmp_path: Path) -> None:
    directory = tmp_path / "notebooks" / "own"
    directory.mkdir(parents=True)
    (directory / "main.tf").write_text('resource "terraform_data" "this" {\n}\n')
    planned = upgrade.plan_upgrade(directory, TEMPLATES)
    assert planned == LeftAlone(directory, "not made by `tools new-notebook`")


def test_a_link_is_left_alone(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(make(tmp_path))
    planned = upgrade.plan_upgrade(link, TEMPLATES)
    assert isinstance(planned, LeftAlone)
    assert "symbolic link" in planned.why


def test_what_is_no_hcl_is_left_alone_and_named(tmp_path: Path) -> None:
    directory = make(tmp_path, {"main.tf": ("{", "{{")})
    planned = upgrade.plan_upgrade(directory, TEMPLATES)
    assert isinstance(planned, LeftAlone)
    assert planned.why.startswith("main.tf: ")


def test_a_file_in_latin_1_is_refused(tmp_path: Path) -> None:
    directory = make(tmp_path)
    (directory / "own.tf").write_bytes("# Jürgen\n".encode("latin-1"))
    with pytest.raises(UserError, match=r"notebooks/nlp/own\.tf is not UTF-8 \("):
        upgrade.plan_upgrade(directory, TEMPLATES)


def test_a_link_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    """The upgrade would replace the link alone, and not the file that others share."""
    directory = make(tmp_path)
    shared = tmp_path / "shared.tf"
    (directory / "main.tf").rename(shared)
    (directory / "main.tf").symlink_to(shared)
    with pytest.raises(UserError, match=r"notebooks/nlp/main\.tf is a symbolic link; put a file"):
        upgrade.plan_upgrade(directory, TEMPLATES)


def test_a_read_only_file_is_refused(tmp_path: Path) -> None:
    directory = make(tmp_path)
    (directory / "main.tf").chmod(0o444)
    with pytest.raises(UserError, match=r"notebooks/nlp/main.tf is read-only; .*chmod u\+w"):
        upgrade.plan_upgrade(directory, TEMPLATES)


def test_what_is_not_in_git_is_committed_first(tmp_path: Path) -> None:
    directory = make(tmp_path)
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com"]

    def run(*arguments: str) -> None:
        subprocess.run([*git, *arguments], cwd=tmp_path, check=True, capture_output=True)

    run("init")
    with pytest.raises(UserError, match=r"notebooks/nlp has changes .*main\.tf.*commit them"):
        upgrade.plan_upgrade(directory, TEMPLATES)
    run("add", "-A")
    run("commit", "-m", "all")
    (directory / "terraform.tfvars").write_text('owner = "p"\n')  # nothing that an upgrade writes
    assert plan(directory)


def test_an_example_that_the_owner_changed_stays(tmp_path: Path) -> None:
    directory = make(tmp_path)
    (directory / "terraform.tfvars.example").write_text("# mine\n")
    upgrade.write(plan(directory))
    assert (directory / "terraform.tfvars.example").read_text() == "# mine\n"


def test_what_changes_after_the_question_is_not_overwritten(tmp_path: Path) -> None:
    directory = make(tmp_path)
    planned = plan(directory)
    (directory / "main.tf").write_text("# another\n")
    before = content(directory)
    with pytest.raises(UserError, match=r"main\.tf has changed meanwhile"):
        upgrade.write(planned)
    assert content(directory) == before
    assert [path.name for path in directory.parent.iterdir()] == ["nlp"]


HOLD = """
import fcntl, sys
state = open(sys.argv[1], "r+")
fcntl.lockf(state, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


def test_terraform_at_work_is_waited_for(tmp_path: Path) -> None:
    """It would write its state into the directory that was replaced."""
    directory = make(tmp_path)
    planned, before = plan(directory), content(directory)
    (directory / ".terraform.tfstate.lock.info").write_text('{"Who": "alice@laptop"}')
    # As Terraform holds a local state: a POSIX lock, which is a process's own.
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(directory / "terraform.tfstate")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(UserError, match=r"notebooks/nlp: Terraform works there \(alice@laptop"):
            upgrade.write(planned)
        holder.communicate()
    (directory / ".terraform.tfstate.lock.info").unlink()
    assert content(directory) == before
    assert [path.name for path in directory.parent.iterdir()] == ["nlp"]
    upgrade.write(planned)


def test_a_file_system_without_hard_links_takes_copies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = make(tmp_path)
    planned = plan(directory)
    # A stand-in for such a file system: exFAT and many of a network's.
    monkeypatch.setattr(os, "link", refuse)
    upgrade.write(planned)
    own = {"terraform.tfvars": VALUES, "terraform.tfstate": STATE}
    assert content(directory) == {**TODAY, **own}


def refuse(source: object, *_: object, **__: object) -> None:
    raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), str(source))


@pytest.mark.parametrize(
    ("module", "step", "complaint"),
    [
        (shutil, "copy2", r"cannot copy .*/nlp/[\w.]+: .*Operation not permitted"),
        (files, "exchange", r"cannot write .*/nlp: Operation not permitted; look at its owner"),
    ],
)
def test_a_disk_that_refuses_is_one_line_and_leaves_all_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: Any, step: str, complaint: str
) -> None:
    """Stand-ins: root, who may run the tests, is refused nothing."""
    directory = make(tmp_path)
    planned, before = plan(directory), content(directory)
    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(module, step, refuse)
    with pytest.raises(UserError, match=complaint) as caught:
        upgrade.write(planned)
    assert "\n" not in str(caught.value)
    assert content(directory) == before
    assert [path.name for path in directory.parent.iterdir()] == ["nlp"]


def test_an_upgrade_that_goes_on_is_not_cleared_away(tmp_path: Path) -> None:
    staging = tmp_path / ".upgrade-x"
    processes.write_note(os.getpid(), staging / "run.pid")
    upgrade.clear_interrupted(tmp_path)
    assert staging.is_dir()


@pytest.mark.parametrize("is_new_there", [False, True])
def test_a_kill_between_two_renamings_is_mended(tmp_path: Path, is_new_there: bool) -> None:
    """Of a system that cannot exchange names: the old directory is aside, the new one perhaps not.

    The nightly test below is killed at each step itself.
    """
    files.write(tmp_path / ".upgrade-x/nlp.old/main.tf", "old")
    if is_new_there:
        files.write(tmp_path / "nlp/main.tf", "new")
    upgrade.clear_interrupted(tmp_path)
    assert (tmp_path / "nlp/main.tf").read_text() == ("new" if is_new_there else "old")
    assert [path.name for path in tmp_path.iterdir()] == ["nlp"]


@pytest.mark.parametrize(
    "at_once",
    [
        pytest.param(True, id="exchanged"),
        # Stands in for a system that cannot exchange names.
        pytest.param(False, id="renamed twice", marks=pytest.mark.nightly),
    ],
)
def test_a_kill_at_any_step_leaves_the_old_or_the_new(
    tmp_path: Path, at_once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not at_once:
        monkeypatch.setattr(files, "_exchange_at_once", lambda one, other: False)
    directory = make(tmp_path)
    before, planned = content(directory), plan(directory)
    after = {**TODAY, "terraform.tfvars": VALUES, "terraform.tfstate": STATE}
    seen = set()
    for step in range(1, 1000):
        shutil.rmtree(tmp_path / "notebooks")
        make(tmp_path)
        code = _killed_at(step, planned)
        upgrade.clear_interrupted(directory.parent)
        assert [path.name for path in directory.parent.iterdir()] == ["nlp"], step
        found = content(directory)
        assert found in (before, after), step
        seen.add(found == after)
        if code == 0:
            break
        assert code == -signal.SIGKILL, step
    assert seen == {False, True}
    assert step > 20


def _killed_at(step: int, planned: Upgrade) -> int:
    """Carries out an upgrade in a child that dies at its `step`-th call to the system."""
    child = os.fork()
    if child == 0:
        count = 0

        def die(event: str, arguments: Any) -> None:
            nonlocal count
            if event.startswith(("os.", "shutil.", "open", "ctypes.")):
                count += 1
                if count == step:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(die)
        upgrade.write(planned)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_the_oldest_layout_is_the_one_with_eight_files() -> None:
    # Of notebooks/notebook-dev in commit b071a83: each file's name, and what git has of it.
    text = "".join(f"{name}\n{EIGHT_FILES[name]}" for name in sorted(EIGHT_FILES))
    digest = "f40d56f50262523b6392810ec12d89f24847f30fc67eac56ee6e3f8de9f498c6"
    assert hashlib.sha256(text.encode()).hexdigest() == digest
    terraform = {name for name in EIGHT_FILES if name.endswith(".tf")}
    assert terraform == {
        *("guard.tf", "locals.tf", "main.tf", "outputs.tf"),
        *("providers.tf", "upstream.tf", "variables.tf", "versions.tf"),
    }


def test_todays_layout_is_what_new_notebook_writes() -> None:
    values = reading.read_tfvars(REPOSITORY / "notebooks/notebook-dev/terraform.tfvars")
    made = notebook.make("nlp", values, render.variables(TEMPLATES))
    written = render.files(made, TEMPLATES)
    written.pop("terraform.tfvars")
    assert {name: text.decode() for name, text in written.items()} == dict(TODAY)
