"""A state file, read without Terraform: its instances, and what is no whole state."""

import json
from pathlib import Path
from typing import Any

import pytest

from tools.errors import UserError
from tools.state.file import (
    State,
    StateVersion,
    UnreadableState,
    is_whole,
    read_lineage,
    with_serial,
    with_stack,
)


def text(*resources: dict[str, Any], **parts: Any) -> bytes:
    outputs = {"id": {"value": "x", "type": "string"}}
    state = {"lineage": "l", "serial": 3, "outputs": outputs, "resources": resources, **parts}
    return json.dumps(state).encode()


def resource(kind: str, *instances: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return {"mode": "managed", "type": kind, "name": "this", "instances": instances, **parts}


def test_addresses_are_those_of_terraform_state_list() -> None:
    state = State.parse(
        text(
            resource("aws_vpc", {"attributes": {}}, mode="data", module="module.a[0]"),
            resource("aws_kms_key", {"attributes": {}}, module="module.a"),
            resource("aws_s3_bucket", {"index_key": "${x} y"}, {"index_key": 0}),
            resource("aws_s3_object", {"index_key": r"\u0024{x"}, {"index_key": "$%{x"}),
        ),
        "a test",
    )
    assert [instance.address for instance in state.instances] == [
        "module.a[0].data.aws_vpc.this",
        "module.a.aws_kms_key.this",
        'aws_s3_bucket.this["$${x} y"]',
        "aws_s3_bucket.this[0]",
        r'aws_s3_object.this["\\u0024{x"]',
        'aws_s3_object.this["$%%{x"]',
    ]
    types = ["aws_kms_key", *["aws_s3_bucket"] * 2, *["aws_s3_object"] * 2]
    assert [found.type for found in state.resources] == types
    assert (state.lineage, state.serial, state.outputs) == ("l", 3, {"id": "x"})


def test_what_a_replacement_cut_short_and_an_old_terraform_leave_is_told_apart() -> None:
    new = {"attributes": {"id": "new"}, "status": "tainted"}
    old = {"attributes": {"id": "old"}, "deposed": "1234abcd"}
    flat = resource("aws_kms_key", {"attributes_flat": {"id": "k"}})
    first, second, third = State.parse(
        text(resource("aws_s3_bucket", new, old), flat), ""
    ).instances
    assert (first.address, first.status, first.deposed) == ("aws_s3_bucket.this", "tainted", "")
    assert (second.address, second.attributes["id"], second.deposed) == (
        "aws_s3_bucket.this",
        "old",
        "1234abcd",
    )
    assert (third.attributes["id"], third.is_flat, first.is_flat) == ("k", True, False)


def test_buckets_that_aws_keeps_while_objects_are_in_them() -> None:
    kept = {"attributes": {"bucket": "a"}}
    emptied = {"attributes": {"bucket": "b", "force_destroy": True}}
    state = State.parse(text(resource("aws_s3_bucket", kept, emptied)), "a test")
    assert state.kept_buckets == ["a"]
    assert state.holds_data
    assert not State.parse(text(resource("aws_iam_role", {"attributes": {}})), "").holds_data


@pytest.mark.parametrize(
    "spoilt",
    [
        b"",
        text()[:-5],
        b"[]",
        b"\xff",
    ],
)
def test_what_terraform_did_not_write_to_its_end_is_no_state(spoilt: bytes, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^there is not a complete Terraform state; mend it$"):
        State.parse(spoilt, "there", "mend it")
    file = tmp_path / "terraform.tfstate"
    file.write_bytes(spoilt)
    assert not is_whole(file)
    file.write_bytes(text())
    assert is_whole(file)


# As OpenTofu 1.12.6 writes it (internal/encryption/base.go and state.go), shortened.
ENCRYPTED = json.dumps(
    {
        "serial": 7,
        "lineage": "abc",
        "meta": {"key_provider.pbkdf2.k": "eyJzYWx0Ijoi"},
        "encrypted_data": "KNbFl6PVK8w=",
        "encryption_version": "v0",
    }
).encode()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (ENCRYPTED, "there is an encrypted state, which only OpenTofu with its key can read"),
        (text(version=3), "there is a state of a format that this tool does not know"),
        (text(version=5), "there is a state of a format that this tool does not know"),
        (text(serial="x"), "of a format that"),
        (text(outputs=[]), "of a format that"),
        (text({"mode": "managed"}), "of a format that"),
        (text(resource("aws_vpc", {"attributes": 3})), "of a format that"),
        (b"{}", "of a format that"),
    ],
)
def test_what_another_program_may_read_is_no_garbage(
    content: bytes, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(UnreadableState, match=reason):
        State.parse(content, "there", "mend it")
    file = tmp_path / "terraform.tfstate"
    file.write_bytes(content)
    assert is_whole(file)


def test_the_version_of_a_state_is_told_though_the_rest_is_encrypted() -> None:
    assert StateVersion.parse(ENCRYPTED) == StateVersion("abc", 7)
    assert StateVersion.parse(text()) == StateVersion("l", 3)
    for spoilt in (b"", b"[]", b"{}", ENCRYPTED[:-9], b'{"lineage": "a"}'):
        assert StateVersion.parse(spoilt) is None


def test_a_lineage_is_read_even_where_the_rest_is_odd(tmp_path: Path) -> None:
    file = tmp_path / "terraform.tfstate"
    assert read_lineage(file) is None
    file.write_text('{"lineage": "abc", "version": 3}')
    assert read_lineage(file) == "abc"
    file.write_text('{"lineage": "ab')
    assert read_lineage(file) is None


def test_a_state_is_given_to_another_stack_and_nothing_else_changes() -> None:
    tags = {"Owner": "a", "Stack": "notebooks/n"}
    attributes = {"purpose": "of notebooks/n", "tags": {"Stack": "notebooks/n"}, "tags_all": tags}
    other = {"tags_all": {"Stack": "notebooks/n2"}, "size": 1.10}
    before = text(resource("a", {"attributes": attributes}), resource("b", {"attributes": other}))
    after = json.loads(with_stack(before, "notebooks/n", "notebooks/m"))
    expected = json.loads(before)
    expected["resources"][0]["instances"][0]["attributes"]["tags_all"]["Stack"] = "notebooks/m"
    assert after == {**expected, "serial": 4}


def test_another_serial_changes_no_other_byte() -> None:
    # Numbers that Python would write in another way, and a "serial" that is not the state's.
    values = b'{"outputs": {"serial": 3, "n": 0.1234567890123456789012, "m": 1.10}, '
    before = values + b'"lineage": "l",\n "serial" :  3}\n'
    assert with_serial(before, 9) == values + b'"lineage": "l",\n "serial" :  9}\n'
    with pytest.raises(UserError, match="the serial of this state is not written as a number"):
        with_serial(b'{"lineage": "l", "serial": "3"}', 9)


def test_outputs_that_differ_in_a_digit_that_python_drops_differ() -> None:
    def output(number: str) -> Any:
        state = text(outputs={"n": {"value": 0.5, "type": "number"}}).replace(
            b"0.5", number.encode()
        )
        return State.parse(state, "x").typed_output("n")

    assert output("0.1234567890123456789012") != output("0.1234567890123456789013")
    assert output("1e400") != output("1e401")
    assert output("1e99999999999999999999") is not None
    assert [output("0.1"), output("1.50"), output("1e3")] == [0.1, 1.5, 1000.0]
