"""Where a state is, by a stack's files and by what its last init has saved.

That Terraform keeps what it saved, and works there, is tests/cli/test_deploy.py's.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tools.layout.contents import SAVED_BACKEND
from tools.layout.stack import Stack
from tools.state.place import (
    BucketPlace,
    LocalPlace,
    is_moved,
    locate,
    locate_unmoved,
    no_objects,
)

S3 = {"bucket": "b", "key": "k", "region": "us-east-1"}


def stack(root: Path, backend: str, kind: str = "", **saved: Any) -> Stack:
    """A stack with a `backend` block and, with a `kind`, the arguments that an init has saved."""
    directory = root / "notebooks/n"
    directory.mkdir(parents=True)
    (directory / "main.tf").write_text(f"terraform {{\n{backend}\n}}\n")
    if kind:
        (directory / ".terraform").mkdir()
        text = json.dumps({"version": 3, "backend": {"type": kind, "config": saved, "hash": 1}})
        (directory / SAVED_BACKEND).write_text(text)
    return Stack(root, "notebooks/n")


@pytest.mark.parametrize(
    ("backend", "kind", "saved", "file"),
    [
        ("", "", {}, "terraform.tfstate"),
        ('backend "local" {}', "local", {"path": None, "workspace_dir": None}, "terraform.tfstate"),
        ('backend "local" {}', "local", {"path": "x.tfstate"}, "x.tfstate"),
        ('backend "local" {\npath = "x"\n}', "local", {"path": "x"}, "x"),
    ],
)
def test_a_local_state(
    tmp_path: Path, backend: str, kind: str, saved: dict[str, Any], file: str
) -> None:
    found = stack(tmp_path, backend, kind, **saved)
    assert locate(found, no_objects) == LocalPlace(tmp_path / "notebooks/n" / file)
    assert not is_moved(found)


def test_a_state_in_a_bucket_that_an_option_named(tmp_path: Path) -> None:
    found = stack(tmp_path, 'backend "s3" {\nkey = "k"\n}', "s3", **S3, profile=None)
    place = locate(found, no_objects)
    assert isinstance(place, BucketPlace)
    assert (place.bucket, place.key, place.region) == ("b", "k", "us-east-1")
    assert not is_moved(found)


@pytest.mark.parametrize(
    ("backend", "kind", "saved"),
    [
        ('backend "s3" {}', "", {}),
        ('backend "s3" {}', "s3", {**S3, "profile": "mine"}),
        ('backend "local" {}', "local", {"workspace_dir": "w"}),
    ],
)
def test_what_cannot_be_told(tmp_path: Path, backend: str, kind: str, saved: Any) -> None:
    assert locate(stack(tmp_path, backend, kind, **saved), no_objects) is None


@pytest.mark.parametrize(
    ("backend", "kind", "saved"),
    [
        ("", "s3", S3),
        ("", "local", {"path": "x"}),
        ('backend "local" {\npath = "y"\n}', "local", {"path": "x"}),
        ('backend "s3" {\nkey = "other"\n}', "s3", S3),
    ],
)
def test_files_that_were_changed_since_the_init(
    tmp_path: Path, backend: str, kind: str, saved: Any
) -> None:
    assert is_moved(stack(tmp_path, backend, kind, **saved))


def test_a_block_that_has_gone_counts_also_beside_a_data_source_that_says_backend(
    tmp_path: Path,
) -> None:
    """Plain `terraform plan` says there: Unsetting the previously set backend "local"."""
    found = stack(tmp_path, "", "local", path="x")
    (found.path / "reads.tf").write_text(
        'data "terraform_remote_state" "a" {\n  backend = "local"\n  config  = { path = "y" }\n}\n'
    )
    assert is_moved(found)
    assert locate_unmoved(found, no_objects) is None


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"backend": null}', '{"backend": {"type": 1}}'])
def test_a_note_of_no_backend_says_nothing(tmp_path: Path, text: str) -> None:
    found = stack(tmp_path, "", "local")
    (found.path / SAVED_BACKEND).write_text(text)
    assert not is_moved(found)
    assert locate(found, no_objects) == LocalPlace(found.path / "terraform.tfstate")


def test_a_local_backend_without_a_path_waits_for_an_init_or_a_state(tmp_path: Path) -> None:
    """An init may be told a path: https://developer.hashicorp.com/terraform/language/backend"""
    found = stack(tmp_path, 'backend "local" {}', "")
    assert locate(found, no_objects) is None
    (state := found.path / "terraform.tfstate").write_text("{}")
    assert locate(found, no_objects) == LocalPlace(state)
