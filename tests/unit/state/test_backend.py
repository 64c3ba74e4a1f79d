"""backend.tf: what is written is read back, and what Terraform would say of it."""

from pathlib import Path

import pytest

from tests.trees import write_stack
from tools.errors import UserError
from tools.hcl import reading, writing
from tools.layout.repository import Repository
from tools.state import backend, checks
from tools.state.backend import Backend, Locking

COMMON = 'project = "p"\nregion = "eu-west-1"\nstate_bucket = "states"\n'


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    for folder in ("shared-infra", "modules", "notebooks"):
        (tmp_path / folder).mkdir()
    (tmp_path / "common.auto.tfvars").write_text(COMMON)
    return Repository(tmp_path)


def write_backend(repository: Repository, name: str, text: str) -> None:
    (write_stack(repository.root, f"notebooks/{name}", "") / "backend.tf").write_text(text)


@pytest.mark.parametrize("locking", ["file", "table", "both"])
def test_the_settings_are_read_from_what_was_written(
    repository: Repository, locking: Locking
) -> None:
    there = Backend("states", "eu-west-1", locking, table="locks" if locking != "file" else "x")
    write_backend(repository, "n", there.text("notebooks/n"))
    found = backend.configured_backend(repository)
    assert found is not None
    assert found.locking == locking
    assert found.text("notebooks/n") == there.text("notebooks/n")


PLAIN = Backend("states", "eu-west-1", "both").text("notebooks/n")


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        writing.backend_block("local", {"path": "/a b/c"}),
        writing.backend_block("s3", {}),
        # The others are parsed: each differs from what is written in a way that counts.
        writing.backend_block("s3", {"key": 'a"b\\c', "bucket": "${x}"}),
        PLAIN + "locals {}\n",
        PLAIN.replace("  backend", "  required_version = 1\n  backend"),
        PLAIN.replace("true", "null"),
    ],
)
def test_what_is_read_without_a_parse_is_what_the_parser_reads(tmp_path: Path, text: str) -> None:
    file = tmp_path / "backend.tf"
    file.write_text(text)
    parsed = reading._backends(reading._parse(text, file))
    assert reading.read_backend(file) == next(iter(parsed.items()))


def test_what_was_written_needs_no_parse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_parse", None)  # whoever parses, fails
    file = tmp_path / "backend.tf"
    file.write_text(PLAIN)
    kind, arguments = reading.read_backend(file) or ("", {})
    assert (kind, arguments["use_lockfile"], arguments["bucket"]) == ("s3", True, "states")


def test_a_copied_key_is_refused_however_its_file_is_written(repository: Repository) -> None:
    arguments = 'bucket = "b"\n    key = "notebooks/n/terraform.tfstate" # ours'
    text = f'terraform {{\n  backend "s3" {{\n    {arguments}\n  }}\n}}\n'
    write_backend(repository, "n", text)
    checks.check_keys(repository)
    write_backend(repository, "m", "terraform {")  # Terraform does nothing there
    checks.check_keys(repository)
    write_backend(repository, "m", text)
    with pytest.raises(UserError, match=r"notebooks/m is a copy, .* delete backend.tf"):
        checks.check_keys(repository)
    (repository.root / "notebooks/n").rename(repository.root / "gone")
    with pytest.raises(UserError, match="if it was renamed: tools rename-notebook n m; if it is"):
        checks.check_keys(repository)
    # The states of shared stacks are read by their names.
    write_backend(repository, "m", text.replace("notebooks/n", "shared-infra/n"))
    with pytest.raises(UserError, match="if it was renamed: give the directory its old name back;"):
        checks.check_keys(repository)


def test_two_claims_to_one_state_are_refused() -> None:
    one, two = (checks.Claim(name, "l", f"mend {name}") for name in ("notebooks/a", "notebooks/b"))
    checks.refuse_copies([one, one, two._replace(state="other")])
    with pytest.raises(UserError, match=r"^notebooks/b and notebooks/a hold .* mend notebooks/b$"):
        checks.refuse_copies([one, two])
