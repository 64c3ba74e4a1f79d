"""What is wrong around `tools` ends in one line with the mend: settings, folders, streams, bugs.

The oracle is the process's end: a traceback, a second line or another exit code contradicts it.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.commands.conftest import Checkout
from tools.commands import graph
from tools.terraform import installation, masking

WRONG_SETTINGS = {
    "no such profile": ({"AWS_PROFILE": "nosuch"}, "", "nosuch"),
    "broken file": ({}, "[default", "Unable to parse config file"),
    "not UTF-8": ({}, b"\xff\xfe[default]", "Unable to parse config file"),
    "no number": ({"AWS_MAX_ATTEMPTS": "x"}, "", "mend AWS_MAX_ATTEMPTS"),
    "no endpoint": ({"AWS_ENDPOINT_URL": "nonsense"}, "", "Invalid endpoint: nonsense"),
    "no program": ({}, "[default]\ncredential_process = /nosuch/program\n", "/nosuch/program"),
    "no such mode": ({"AWS_DEFAULTS_MODE": "x"}, "", "invalid defaults mode: x"),
}


def one_line(done: "subprocess.CompletedProcess[str]") -> str:
    assert done.returncode == 1, done
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


@pytest.mark.parametrize("case", WRONG_SETTINGS)
def test_wrong_settings_of_aws_matter_where_aws_is_asked(
    deployable: Checkout, tmp_path: Path, case: str
) -> None:
    env, text, said = WRONG_SETTINGS[case]
    config = tmp_path / "config"
    config.write_bytes(text if isinstance(text, bytes) else text.encode())
    env = {**env, "AWS_CONFIG_FILE": str(config)}
    assert deployable.tools("list", **env).returncode == 0
    error = one_line(deployable.tools("status", **env))
    assert "AWS's settings are wrong" in error
    assert said in error
    assert "mend " in error


def test_no_home_is_no_obstacle(deployable: Checkout) -> None:
    del deployable.env["HOME"]
    assert deployable.tools("list").returncode == 0
    assert "no AWS credentials found" in one_line(deployable.tools("status"))


def test_a_notebook_that_was_never_applied_is_renamed_without_credentials(
    deployable: Checkout,
) -> None:
    done = deployable.tools("rename-notebook", "notebook-dev", "team", "--yes")
    assert done.returncode == 0, done.stderr
    assert "Rename notebooks/notebook-dev to notebooks/team (never applied)" in done.stderr
    assert deployable.notebooks() == ["README.md", "notebook-prod", "team"]


@pytest.mark.parametrize(
    "left", ["terraform.tfstate", "terraform.tfstate.backup", "errored.tfstate", "a bucket"]
)
def test_one_that_may_have_been_applied_is_renamed_with_credentials_alone(
    deployable: Checkout, left: str
) -> None:
    if left == "a bucket":
        with (deployable.root / "common.auto.tfvars").open("a") as file:
            file.write('state_bucket = "states-of-acme"\n')
    else:
        (deployable.root / "notebooks/notebook-dev" / left).write_text("{}")
    error = one_line(deployable.tools("rename-notebook", "notebook-dev", "team", "--yes"))
    assert "no AWS credentials found" in error
    assert "team" not in deployable.notebooks()


def test_what_only_reads_needs_no_folder_of_its_own(deployable: Checkout) -> None:
    """As in a checkout that is read-only, or whose .tools another user has made."""
    (deployable.root / ".tools").write_text("")
    for command in ("list", "graph", "cost"):
        assert deployable.tools(command).returncode == 0, command
    error = one_line(deployable.tools("report", "--offline"))
    assert "a file is where a folder has to be: move it away" in error


def test_the_note_of_a_version_may_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "_ask_version", lambda *_: ["1.11.4", "linux_amd64"])
    scratch = tmp_path / "file"
    scratch.touch()
    version, _ = installation.read_version(Path(sys.executable), {}, scratch)
    assert version == (1, 11, 4)


def test_a_folder_in_place_of_a_file_and_a_file_in_latin_1(deployable: Checkout) -> None:
    directory = deployable.root / "notebooks/notebook-dev"
    (directory / "terraform.tfvars").write_bytes('owner = "Jürgen"\n'.encode("latin-1"))
    done = deployable.tools("cost")
    assert done.returncode == 0, done.stderr  # of the other notebooks
    (warning,) = done.stderr.splitlines()
    assert "terraform.tfvars is not UTF-8" in warning
    (directory / "terraform.tfvars").unlink()
    (directory / "more.tf").mkdir()
    assert deployable.tools("graph").returncode == 0  # Terraform passes over it too


@pytest.mark.parametrize(
    "arguments",
    [
        ["list", "--why"],
        ["list", "--json"],
        ["graph"],
        ["graph", "--format", "matrix", "--shard-size", "1"],
        ["report", "--offline"],
        ["report", "--offline", "--output", "-"],
    ],
    ids=" ".join,
)
def test_names_that_are_no_utf8_are_shown(deployable: Checkout, arguments: list[str]) -> None:
    """As another program makes them; the stream is strict, as Python has it for UTF-8."""
    for folder in ("notebooks/a\udcff", "notebooks/notebook-dev/b\udcff"):
        (deployable.root / folder).mkdir()
        (deployable.root / folder / "main.tf").write_text('output "x" {\n  value = 1\n}\n')
    done = deployable.tools(*arguments)
    assert done.returncode == 0, done.stderr
    page = deployable.root / ".tools/report.html"
    text = page.read_text() if page.exists() else done.stdout
    assert "notebooks/a\\udcff" in text or "a%FF" in text


def test_a_file_that_cannot_be_used_is_named_with_the_mend(
    deployable: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A stand-in: root, who may run the tests, reads every file.
    fail(monkeypatch, PermissionError(13, "Permission denied", "/a/file"))
    assert one_line(deployable.tools("graph")) == (
        "error: cannot use /a/file: Permission denied; look at its owner and permissions (ls -ld)\n"
    )


def fail(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def callback(**_: object) -> None:
        raise error

    monkeypatch.setattr(graph.command, "callback", callback)


SECRET = "correct-horse-battery"


def test_a_bug_ends_in_a_line_and_a_file_without_secrets(
    deployable: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = deployable.root / "notebooks/notebook-dev"
    (directory / "secret.tf").write_text('variable "password" {\n  sensitive = true\n}\n')
    (directory / "secret.auto.tfvars").write_text(f'password = "{SECRET}"\n')
    fail(monkeypatch, KeyError(f"the value {SECRET} of https://me:hunter2@example.com"))
    error = one_line(deployable.tools("graph"))
    [file] = (deployable.root / ".tools").glob("traceback-*.txt")
    assert error == (
        "error: this is a bug of tools (KeyError); please report it with its traceback, which is "
        f"in {file}\n"
    )
    text = file.read_text()
    assert "Traceback (most recent call last)" in text
    assert "KeyError: 'the value (sensitive value) of https://(sensitive value)@" in text
    assert file.stat().st_mode & 0o077 == 0


def test_a_bug_where_it_is_not_known_what_is_secret(
    deployable: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(masking, "read_secrets", lambda directory: 1 / 0)
    fail(monkeypatch, KeyError(SECRET))
    one_line(deployable.tools("graph"))
    [file] = (deployable.root / ".tools").glob("traceback-*.txt")
    text = file.read_text()
    assert SECRET not in text
    assert text.endswith("KeyError\n")


def test_a_bug_in_a_checkout_that_is_read_only(
    deployable: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (deployable.root / ".tools").write_text("")
    fail(monkeypatch, KeyError("x"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    error = one_line(deployable.tools("graph"))
    [file] = tmp_path.glob("tools-*/traceback-*.txt")
    assert str(file) in error
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    error = one_line(deployable.tools("graph"))
    assert "and its traceback could not be written" in error


@pytest.mark.parametrize(
    ("redirections", "code", "said"),
    [
        ("init <&-", 1, "error: stdin is not a terminal"),
        ("graph >&-", 0, ""),
        ("--help >&-", 0, ""),
        ("--help >/dev/full", 1, "error: cannot write: No space left on device\n"),
    ],
)
def test_a_stream_that_is_closed_or_full(
    checkout: Checkout, redirections: str, code: int, said: str
) -> None:
    """Real processes: a stream is closed before Python starts."""
    tools = Path(sys.executable).with_name("tools")
    done = subprocess.run(
        ["sh", "-c", f"{tools} {redirections}"],
        cwd=checkout.root,
        env=checkout.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done
    assert done.stderr.startswith(said)
    assert done.stderr.count("\n") == (1 if said else 0)
