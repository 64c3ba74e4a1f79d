"""`tools explain-access`: policies from states, and a verdict as the exit code."""

import json
from typing import Any

import pytest

from tests.trees import reading, write_stack
from tests.unit.commands.conftest import Checkout
from tests.unit.fleet.test_access import BUCKET, NOTEBOOK, managed, resource, role, statement

OURS = resource("aws_s3_bucket", bucket="acme-datasets")
READ = managed("data", statement("Read", "s3:GetObject", f"{BUCKET}/shared/*"))


def write_state(checkout: Checkout, stack: str, *resources: dict[str, Any]) -> None:
    managed = [
        {
            "mode": "managed",
            "type": one["type"],
            "name": f"r{number}",
            "instances": [{"attributes": one["values"]}],
        }
        for number, one in enumerate(resources)
    ]
    state = {"version": 4, "lineage": stack, "serial": 1, "outputs": {}, "resources": managed}
    (checkout.root / stack / "terraform.tfstate").write_text(json.dumps(state))


@pytest.fixture
def applied(deployable: Checkout) -> Checkout:
    """A notebook alice, whose role, policy and bucket an upstream stack has made."""
    write_stack(deployable.root, "shared-infra/roles", "")
    write_stack(deployable.root, "notebooks/alice", reading("shared-infra/roles"))
    write_state(deployable, "shared-infra/roles", role(), OURS, *READ)
    write_state(deployable, "notebooks/alice", NOTEBOOK)
    return deployable


# The codes are those of its help.
VERDICTS = {
    "read s3://acme-datasets/shared/a.csv": ("yes", 0, "allowed by data: Read"),
    "write s3://acme-datasets/shared/a.csv": ("no", 3, "no policy of its role allows s3:PutObject"),
    "read s3://somebody-elses/a.csv": ("unknown", 4, "not known: the policy of somebody-elses"),
}


@pytest.mark.parametrize("question", VERDICTS)
def test_a_question_is_answered_first_and_by_the_exit_code(
    applied: Checkout, question: str
) -> None:
    verdict, code, reason = VERDICTS[question]
    done = applied.tools("explain-access", "alice", "--can", question)
    assert done.returncode == code, done
    answer, rest = done.stdout.split("\n\n", 1)
    assert answer.startswith(f"{verdict}: {reason}")
    assert rest == applied.tools("explain-access", "alice").stdout
    told = applied.tools("explain-access", "alice", "--can", question, "--json")
    assert told.returncode == code
    asked = json.loads(told.stdout)["can"]
    assert (asked["question"], asked["verdict"]) == (question, verdict)
    assert asked["reason"].startswith(reason)


def test_without_a_question_there_is_no_verdict(applied: Checkout) -> None:
    done = applied.tools("explain-access", "alice", "--json")
    assert done.returncode == 0, done
    told = json.loads(done.stdout)
    assert "can" not in told
    assert told["reads"] == [
        {
            "source": "data: Read",
            "actions": ["s3:GetObject"],
            "resources": [f"{BUCKET}/shared/*"],
            "conditions": [],
        }
    ]


def test_whose_role_it_is_and_what_bounds_it_is_told(applied: Checkout) -> None:
    """The keys are those of docs/json.md."""
    told = json.loads(applied.tools("explain-access", "alice", "--json").stdout)
    assert told.keys() == {
        *("notebook", "role", "own_role", "boundary", "reads", "writes", "calls", "denied"),
        *("unknown_policies", "unexplained"),
    }
    assert (told["role"], told["own_role"], told["boundary"]) == (
        role()["values"]["arn"],
        False,
        None,
    )
    first, second = applied.tools("explain-access", "alice").stdout.splitlines()[:2]
    assert first == f"notebooks/alice works with {told['role']} (shared with other notebooks),"
    assert second == "with no permissions boundary."


def test_what_is_not_one_notebook_is_refused(applied: Checkout) -> None:
    for name in ("iam", "*"):
        done = applied.tools("explain-access", name)
        assert (done.returncode, done.stdout) == (1, "")
        assert f"error: {name} is not one notebook; name one, such as notebooks/" in done.stderr
