"""States of old deployments that are read, and those that are refused, in one line each."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.trees import write_stack
from tools.errors import UserError, in_one_line
from tools.migration import legacy
from tools.terraform.binary import Terraform

TERRAFORM = Terraform(Path("terraform"), "Terraform", (1, 5, 7), "linux_amd64", False, {})
BUCKET = {
    "mode": "managed",
    "type": "aws_s3_bucket",
    "name": "b",
    "instances": [{"attributes": {"bucket": "b"}}],
}


def state(*resources: dict[str, Any], **more: Any) -> dict[str, Any]:
    plain = {"version": 4, "terraform_version": "1.5.7", "serial": 7, "lineage": "abc"}
    return {**plain, "outputs": {}, "resources": list(resources), **more}


def read(path: Path, found: Any) -> legacy.LegacyDeployment:
    text = found if isinstance(found, bytes) else json.dumps(found).encode()
    path.write_bytes(text)
    return legacy.read(path, TERRAFORM, never)


def never(region: str) -> Any:
    raise AssertionError(f"asked S3 in {region}")


def with_instances(*instances: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**BUCKET, "instances": list(instances), **more}


def test_addresses_are_terraform_s(tmp_path: Path) -> None:
    plain: dict[str, Any] = {"attributes": {}}
    found = read(
        tmp_path / "s",
        state(
            BUCKET,
            with_instances({**plain, "index_key": 0}, {**plain, "index_key": 1}, name="c"),
            with_instances(
                {**plain, "index_key": 'a"${b}'}, module='module.m["k"].module.n', name="d"
            ),
            {**BUCKET, "mode": "data", "name": "read"},
        ),
    )
    assert [one.address for one in found.resources] == [
        "aws_s3_bucket.b",
        "aws_s3_bucket.c[0]",
        "aws_s3_bucket.c[1]",
        'module.m["k"].module.n.aws_s3_bucket.d["a\\"$${b}"]',
    ]
    assert (found.lineage, found.serial, found.folder) == ("abc", 7, None)


def test_a_folder_s_state_is_found_where_its_files_say(tmp_path: Path) -> None:
    folder = write_stack(
        tmp_path, "old", 'terraform {\n  backend "local" {\n    path = "x"\n  }\n}'
    )
    (folder / "x").write_text(json.dumps(state(BUCKET)))
    found = legacy.read(folder, TERRAFORM, never)
    assert (found.location, found.folder) == (str(folder / "x"), folder)


def test_a_folder_s_state_is_read_from_its_bucket(tmp_path: Path) -> None:
    config = 'bucket = "states"\n    key = "old.tfstate"\n    region = "eu-west-1"'
    folder = write_stack(
        tmp_path, "old", f'terraform {{\n  backend "s3" {{\n    {config}\n  }}\n}}'
    )
    contents = {("states", "old.tfstate"): json.dumps(state(BUCKET)).encode()}

    class Store:
        def get(self, bucket: str, key: str) -> bytes | None:
            return contents.get((bucket, key))

    found = legacy.read(folder, TERRAFORM, lambda region: Store())
    assert (found.location, found.state_bucket) == ("s3://states/old.tfstate", "states")
    note = {"ID": "0a1b", "Who": "bob@desk", "Created": "today"}
    contents["states", "old.tfstate.tflock"] = json.dumps(note).encode()
    with pytest.raises(UserError, match=r"locked by bob@desk, since today.*force-unlock 0a1b"):
        legacy.read(folder, TERRAFORM, lambda region: Store())


def test_a_lock_that_a_kill_has_left_is_none(tmp_path: Path) -> None:
    (tmp_path / "terraform.tfstate").write_text(json.dumps(state(BUCKET)))
    (tmp_path / ".terraform.tfstate.lock.info").write_text("{}")
    assert len(legacy.read(tmp_path, TERRAFORM, never).resources) == 1


def test_a_state_file_beside_its_configuration_is_that_folder_s(tmp_path: Path) -> None:
    folder = write_stack(tmp_path, "old", "")
    assert read(folder / "terraform.tfstate", state(BUCKET)).folder == folder
    assert read(folder / "pulled.tfstate", state(BUCKET)).folder is None


REFUSED: dict[str, tuple[Any, str]] = {
    "cut short": (json.dumps(state(BUCKET)).encode()[:-9], "not valid JSON"),
    "binary": (b"\x1f\x8b\x08\x00\xff", "not valid JSON"),
    "empty": (b"", "not valid JSON"),
    "a list": ([], "is not a Terraform state"),
    "another JSON": ({"version": "4"}, "is not a Terraform state"),
    "nothing else": ({"version": 4}, "is not a complete Terraform state"),
    "format 3": (
        {"version": 3, "modules": []},
        "format 3; upgrade it with the Terraform that made",
    ),
    "format 5": (state(BUCKET, version=5), "format 5, but Terraform 1.5.7 reads formats up to 4"),
    "newer": (
        state(BUCKET, terraform_version="1.6.0"),
        r"written by Terraform 1\.6\.0, but terraform is Terraform 1\.5\.7",
    ),
    "no version": (state(BUCKET, terraform_version="x"), "is not a complete Terraform state"),
    "no resources": (state(), "holds no resources"),
    "data only": (state({**BUCKET, "mode": "data"}), "holds no resources"),
    "no instances": (
        state({"mode": "managed", "type": "a", "name": "b"}),
        "is not a complete Terraform state",
    ),
    "no attributes": (
        state(with_instances({"attributes": [1]})),
        "is not a complete Terraform state",
    ),
    "of 0.11": (state(with_instances({"attributes_flat": {"a": "b"}})), "as Terraform 0.11 wrote"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_state_to_migrate_is_refused_in_one_line(case: str, tmp_path: Path) -> None:
    content, said = REFUSED[case]
    path = tmp_path / "s.tfstate"
    with pytest.raises(UserError, match=said) as refused:
        read(path, content)
    assert str(path) in str(refused.value)
    assert "\n" not in in_one_line(str(refused.value))


def _nothing(path: Path) -> None:
    path.mkdir()


def _elsewhere(path: Path) -> None:
    write_stack(path.parent, path.name, 'terraform {\n  backend "http" {}\n}')


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "neither a folder nor a state file"),
        (_nothing, r"terraform\.tfstate does not exist; give the folder"),
        (_elsewhere, "do not say where its state is.*state pull > old.tfstate"),
    ],
)
def test_a_folder_without_a_state_to_read_is_refused(
    make: Callable[[Path], None], said: str, tmp_path: Path
) -> None:
    make(tmp_path / "old")
    with pytest.raises(UserError, match=said):
        legacy.read(tmp_path / "old", TERRAFORM, never)


def test_an_object_that_is_not_whole_says_so(tmp_path: Path) -> None:
    whole: dict[str, Any] = {"attributes": {"bucket": "b"}}
    deposed = {"attributes": {"bucket": "a"}, "deposed": "0a1b2c3d"}
    found = read(
        tmp_path / "s",
        state(
            with_instances({**whole, "status": "tainted"}),
            with_instances(deposed, whole, name="c"),
            with_instances(deposed, name="d"),
        ),
    )
    told = {one.address: one for one in found.resources}
    assert "tainted" in told["aws_s3_bucket.b"].trouble
    assert "deposed" in told["aws_s3_bucket.c"].trouble
    assert told["aws_s3_bucket.c"].attributes == {"bucket": "b"}
    assert "deposed" in told["aws_s3_bucket.d"].trouble
