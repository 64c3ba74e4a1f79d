"""Older versions of a state: listed, compared, brought back."""

import json
import signal
from typing import Any

import pytest

from tests.trees import write_stack

from .conftest import READER, RESOURCE, UPSTREAM, Team, write, write_upstream

TWO = 'resource "terraform_data" "second" {\n  input = "y"\n}\n'


def history(team: Team, stack: str = UPSTREAM) -> list[dict[str, Any]]:
    found = json.loads(team.tools("state", "history", "--local", "--json", stack).stdout)
    return list(found)


def test_an_older_version_is_brought_back(team: Team) -> None:
    team.enable()
    first = team.remote(UPSTREAM)
    write_upstream(team, "two")
    with (team.root / UPSTREAM / "main.tf").open("a") as file:
        file.write(TWO)
    team.deploy()
    now = json.loads(team.remote(UPSTREAM) or b"")
    rows = history(team)
    assert [row["serial"] for row in rows][::-1] == sorted(row["serial"] for row in rows)
    assert (rows[0]["serial"], rows[0]["resources"]) == (now["serial"], 2)
    (old,) = [row for row in rows if row["serial"] == json.loads(first or b"")["serial"]]
    assert (old["resources"], old["size"]) == (1, len(first or b""))
    shown = team.tools("state", "history", "--local", UPSTREAM).stdout
    assert old["version"] in shown

    said = team.ok("state", "restore", UPSTREAM, old["version"])
    assert f"serial {now['serial']} now, {old['serial']} in that version:" in said
    assert "  - terraform_data.second" in said
    assert "  ~ output value" in said
    assert "x" not in said.split("  - terraform_data.second")[1].split("\n")[0]  # no values
    restored = json.loads(team.remote(UPSTREAM) or b"")
    assert restored["serial"] > now["serial"]
    for part in ("lineage", "resources", "outputs"):
        assert restored[part] == json.loads(first or b"")[part]
    # The files still declare what the state has forgotten: the next run makes it again.
    planned = team.tools("plan", "--local", UPSTREAM, "--json")
    (plan,) = json.loads(planned.stdout)
    assert [change["action"] for change in plan["changes"]] == ["create"]
    assert len(history(team)) == len(rows) + 1
    team.deploy()
    team.no_changes()


def test_a_state_that_was_deleted_or_spoilt_is_brought_back(team: Team) -> None:
    team.enable()
    s3 = team.client("s3")
    before = json.loads(team.remote(READER) or b"")
    for spoil in (
        lambda: s3.delete_object(Bucket=team.bucket, Key=team.key(READER)),
        lambda: s3.put_object(Bucket=team.bucket, Key=team.key(READER), Body=b'{"version": 4,'),
    ):
        spoil()
        rows = history(team, READER)
        assert rows[0]["serial"] is None
        good = next(row for row in rows if row["serial"])
        said = team.ok("state", "restore", READER, good["version"])
        assert "+ terraform_data.this" in said
        restored = json.loads(team.remote(READER) or b"")
        for part in ("lineage", "resources"):
            assert restored[part] == before[part]
    team.no_changes()


@pytest.mark.nightly
def test_a_restore_that_is_cut_short_leaves_no_gap(team: Team) -> None:
    team.enable()
    good = history(team, READER)[0]["version"]
    spoilt = {"Bucket": team.bucket, "Key": team.key(READER), "Body": b"{"}
    for step in range(1, 20):
        team.client("s3").put_object(**spoilt)
        killed = team.killed_at(step, "state", "restore", READER, good)
        assert team.remote(READER), step
        if killed.returncode == 0:
            break
        assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert step > 1
    team.no_changes()


def test_what_another_stack_has_now_is_not_restored(team: Team) -> None:
    own = Team(team.work, team.env, team.bucket, team.client)
    write(own, "notebooks/old", RESOURCE)
    team.enable()
    team.ok("deploy", "old")
    team.ok("rename-notebook", "old", "new")
    write(own, "notebooks/old", RESOURCE)
    team.enable()
    good = next(row for row in history(team, "notebooks/old") if row["serial"])
    error = team.refused("state", "restore", "notebooks/old", good["version"])
    assert "is of the state that notebooks/new has now" in error
    assert team.remote("notebooks/old") is None


def test_a_spoilt_state_of_the_bucket_s_own_root_is_no_other_one_s(team: Team) -> None:
    team.enable()
    key = {"Bucket": team.bucket, "Key": "ml-infra/bootstrap/terraform.tfstate"}
    place = f'bucket = "{team.bucket}"\n    key = "{key["Key"]}"\n    region = "us-east-1"'
    file = team.work / "bootstrap/backend.tf"
    file.write_text(f'terraform {{\n  backend "s3" {{\n    {place}\n  }}\n}}\n')
    team.client("s3").put_object(**key, Body=b"{")
    listed = team.ok("state", "list")
    assert "bootstrap/terraform.tfstate is not a complete" in listed
    assert READER in listed
    assert history(team, READER)
    assert len(history(team, "bootstrap")) == 1


def test_what_cannot_be_restored_is_refused(team: Team) -> None:
    error = team.refused("state", "history", UPSTREAM)
    assert (
        "only a bucket keeps older versions than terraform.tfstate.backup: tools state enable"
        in error
    )
    team.enable()
    before = team.remote(UPSTREAM)
    assert "has no version nonsense" in team.refused("state", "restore", UPSTREAM, "nonsense")
    other = {**json.loads(before or b""), "lineage": "of-something-else", "serial": 99}
    s3 = team.client("s3")
    key = {"Bucket": team.bucket, "Key": team.key(UPSTREAM)}
    put = s3.put_object(**key, Body=json.dumps(other).encode())
    s3.put_object(**key, Body=before)
    error = team.refused("state", "restore", UPSTREAM, put["VersionId"])
    assert "is of another state than the one in" in error
    spoilt = s3.put_object(**key, Body=b"{")["VersionId"]
    s3.put_object(**key, Body=before)
    assert "is not a complete" in team.refused("state", "restore", UPSTREAM, spoilt)
    gone = s3.delete_object(**key)["VersionId"]
    assert "is its deletion" in team.refused("state", "restore", UPSTREAM, gone)
    s3.put_object(**key, Body=before)
    assert team.remote(UPSTREAM) == before
    (team.work / UPSTREAM / "errored.tfstate").write_bytes(before or b"")
    assert "errored.tfstate is newer" in team.refused("state", "restore", UPSTREAM, spoilt)
    (team.work / UPSTREAM / "errored.tfstate").unlink()
    write_stack(team.root, "notebooks/m", "")
    assert "names 3 stacks; name one" in team.refused("state", "history", "notebooks/*")
