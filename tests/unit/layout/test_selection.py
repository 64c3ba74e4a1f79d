from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.trees import write_stack
from tools.errors import UserError
from tools.hcl import reading, writing
from tools.layout import selection
from tools.layout.stack import Stack
from tools.layout.waves import Portion

DECLARED: Mapping[str, Mapping[str, reading.Value]] = {
    "shared-infra/s3": {"bucket_suffix": None},
    "notebooks/alice": {
        "environment": "dev",
        "owner": "alice",
        "volume_size": 20,
        "root_access": False,
        "purpose": "a=b, [c]",
        "tags": {"Team": "growth", "cost.centre": "42"},
        "security_group_ids": ["sg-1", "sg-2"],
    },
    "notebooks/bob": {
        "environment": "prod",
        "owner": "bob",
        "volume_size": 100,
        "root_access": True,
        "purpose": "Models",
        "tags": {},
        "security_group_ids": [],
    },
}


@pytest.fixture
def stacks(tmp_path: Path) -> list[Stack]:
    for name, values in DECLARED.items():
        text = "".join(f"{key} = {writing.dumps(value)}\n" for key, value in values.items())
        (write_stack(tmp_path, name, "") / "terraform.tfvars").write_text(text)
    return [Stack(tmp_path, name) for name in DECLARED]


@pytest.mark.parametrize(
    ("conditions", "chosen"),
    [
        ([], list(DECLARED)),
        (["environment=dev"], ["notebooks/alice"]),
        (["environment!=dev"], ["notebooks/bob"]),  # and not s3, which has no environment
        (["owner=*b*"], ["notebooks/bob"]),
        (["owner=*", "volume_size=100"], ["notebooks/bob"]),
        (["root_access=false"], ["notebooks/alice"]),
        (["purpose=a=b, [c]"], ["notebooks/alice"]),  # as it stands, though it reads as a glob
        (["tags.Team=growth"], ["notebooks/alice"]),
        (["tags.cost.centre=42"], ["notebooks/alice"]),
        (["security_group_ids=sg-2"], ["notebooks/alice"]),
        (["name=alice"], ["notebooks/alice"]),
        (["bucket_suffix=null"], ["shared-infra/s3"]),
    ],
)
def test_chooses_by_declared_values(
    stacks: list[Stack], conditions: list[str], chosen: list[str]
) -> None:
    assert [stack.name for stack in selection.filter_by_values(stacks, conditions)] == chosen


@pytest.mark.parametrize(
    ("condition", "complaint"),
    [
        ("environment", "'environment' is not a condition; write key=value"),
        ("=dev", "'=dev' is not a condition"),
        ("enviroment=dev", "no stack has a value enviroment; did you mean environment"),
        ("tags=growth", "no stack has a value tags; did you mean tags.Team"),
        ("owner.x=alice", "no stack has a value owner.x"),
        ("environment=staging", "no stack has environment=staging; environment is dev, prod"),
    ],
)
def test_says_what_there_is_instead(stacks: list[Stack], condition: str, complaint: str) -> None:
    with pytest.raises(UserError) as raised:
        selection.filter_by_values(stacks, [condition])
    assert complaint in str(raised.value)


def test_no_stacks_meet_no_condition() -> None:
    with pytest.raises(UserError, match="there are no stacks to choose from"):
        selection.filter_by_values([], ["owner=alice"])


def test_a_stack_whose_values_cannot_be_read_is_left_out_and_said(
    stacks: list[Stack], capsys: pytest.CaptureFixture[str]
) -> None:
    (stacks[2].path / "terraform.tfvars").write_text('a = "b"\nenvironment = f(var.x)\n')
    chosen = selection.filter_by_values(stacks, ["environment=dev"])
    assert [stack.name for stack in chosen] == ["notebooks/alice"]
    said = capsys.readouterr().err
    assert "notebooks/bob is left out" in said
    assert "terraform.tfvars, line 2: environment is an expression" in said
    with pytest.raises(UserError, match="line 2"):
        selection.filter_by_values(stacks[2:], ["environment=dev"])


def test_a_shard_does_not_depend_on_what_has_changed(tmp_path: Path) -> None:
    """A job plans its part of a wave; which of it has changed is asked afterwards."""
    for name in "abcdefgh":
        write_stack(tmp_path, f"notebooks/{name}", "")
    stacks = [Stack(tmp_path, f"notebooks/{name}") for name in "abcdefgh"]

    def choose(number: int, changed: set[str]) -> set[str]:
        chosen = selection.Selection(changed=True, wave=Portion(1, 1), shard=Portion(number, 2))
        found = selection.choose(stacks, chosen, lambda stack: stack.name in changed)
        return {stack.name for stack in found}

    everything = {stack.name for stack in stacks}
    halves = [choose(1, everything), choose(2, everything)]
    assert [len(half) for half in halves] == [4, 4]
    some = {"notebooks/a", "notebooks/b", "notebooks/c"}
    assert [choose(1, some), choose(2, some)] == [half & some for half in halves]
