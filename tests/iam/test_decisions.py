"""The table of decisions, by an engine that knows nothing of this repository."""

from pathlib import Path
from typing import Any

import pytest

from tests.trees import REPOSITORY
from tools import SCRATCH
from tools.fleet import questions
from tools.fleet.grants import Grants
from tools.fleet.questions import Question

from . import engine, table
from .mutants import ONLY_SENT_BY, Mutant, mutants
from .rendered import Rendered
from .table import Row

# Supposed by the table, or the same text in another place: an isolated role is attached the
# shared role's policies, and the strict bucket's policy has every statement of the plain one.
NOT_MUTATED = ("everything", "anybody", "delegating", "bucket", "strict-bucket")


class Decisions:
    """The table's rows, the mutants, and what the engine says to both, asked once."""

    def __init__(self, program: Path, rendered: Rendered) -> None:
        policies = table.policies(rendered)
        self.rows: list[Row] = table.rows(rendered)
        self.mutants: list[Mutant] = [
            mutant
            for name, document in policies.items()
            if name not in NOT_MUTATED and not _attached_again(name)
            for mutant in mutants(name, document)
            if not mutant.change.startswith("All:")
        ]
        answer = engine.decide(
            program,
            {
                "policies": policies,
                "rows": [row.question for row in self.rows],
                "mutants": [
                    {"policy": m.policy, "document": m.document, "services": m.services}
                    for m in self.mutants
                ],
                "keys": [*ONLY_SENT_BY],
                "levels": [],
            },
        )
        self.decided: list[dict[str, Any]] = answer["rows"]
        self.actions_by_key: dict[str, list[str]] = answer["keys"]
        self.noticed: list[int | None] = answer["mutants"]


def _attached_again(name: str) -> bool:
    return name.startswith("isolated/") and name != "isolated/own-prefixes"


@pytest.fixture(scope="module")
def decisions(policies: Rendered) -> Decisions:
    return Decisions(engine.install(REPOSITORY / SCRATCH), policies)


def test_every_row_is_decided_as_it_says(decisions: Decisions) -> None:
    wrong = [
        f"{row.text}\n    is {said['error'] or ('allowed' if said['allowed'] else 'denied')}"
        for row, said in zip(decisions.rows, decisions.decided, strict=True)
        if said["error"] or said["allowed"] != row.allowed
    ]
    assert not wrong, "\n".join(wrong)


def test_every_wider_statement_is_noticed_by_a_row(decisions: Decisions) -> None:
    unnoticed = [
        f"{mutant.policy}, {mutant.change}"
        for mutant, row in zip(decisions.mutants, decisions.noticed, strict=True)
        if row is None
    ]
    assert not unnoticed, "\n".join(unnoticed)


def test_every_statement_has_mutants(decisions: Decisions, policies: Rendered) -> None:
    changed = {(mutant.policy, mutant.change.split(":")[0]) for mutant in decisions.mutants}
    statements = {
        (name, statement["Sid"])
        for name, document in table.policies(policies).items()
        if name not in NOT_MUTATED and not _attached_again(name)
        for statement in document["Statement"]
        if statement["Sid"] != "All"
    }
    assert changed == statements


def test_the_keys_that_spare_a_mutant_are_sent_by_no_other_action(decisions: Decisions) -> None:
    assert decisions.actions_by_key == ONLY_SENT_BY


def test_no_row_stands_twice(decisions: Decisions) -> None:
    questions = [repr(row.question) for row in decisions.rows]
    assert len(questions) == len(set(questions)) >= 150


def test_what_is_not_mutated_is_mutated_elsewhere(policies: Rendered) -> None:
    found = policies.policies
    for name in filter(_attached_again, found):
        assert found[name] == found[name.replace("isolated/", "shared/")]
    for statement in found["bucket"]["Statement"]:
        assert statement in found["strict-bucket"]["Statement"]


def test_the_roots_want_no_change_after_their_apply(policies: Rendered) -> None:
    assert policies.changes == {}


VERBS = {"s3:GetObject": "read", "s3:PutObject": "write", "s3:DeleteObject": "delete"}
# What a question of `tools explain-access` says of a request, and what it takes for granted.
SAID = {"aws:SecureTransport", "aws:ViaAWSService", "aws:PrincipalIsAWSService", "s3:prefix"}
SAID |= {"aws:ResourceAccount", "aws:PrincipalAccount", "aws:PrincipalArn"}
SAID |= {"aws:PrincipalTag/Notebook"}


def asked(row: Row) -> Question | None:
    """The row as a question of `tools explain-access --can`, if it can be asked there."""
    question, context = row.question, row.question["context"]
    bucket, _, key = str(question["resource"]).removeprefix("arn:aws:s3:::").partition("/")
    is_role = ":assumed-role/" in question["principal"]
    is_usual = context.keys() <= SAID and context["aws:SecureTransport"] == "true"
    if not is_role or not is_usual or question["endpoint"]:
        return None
    if question["action"] == "s3:ListBucket":
        return Question("list", bucket, str(context.get("s3:prefix", "")))
    return Question(VERBS[question["action"]], bucket, key) if question["action"] in VERBS else None


def grants_of(row: Row, documents: dict[str, Any], bucket: str) -> Grants:
    question = row.question
    role, own = question["context"]["aws:PrincipalArn"], question["resourcePolicy"]
    is_ours = question["account"] == question["context"]["aws:PrincipalAccount"]
    return Grants(
        notebook="notebooks/any",
        role_arn=role,
        own_role=True,
        tags={
            name.removeprefix("aws:PrincipalTag/"): value
            for name, value in question["context"].items()
            if name.startswith("aws:PrincipalTag/")
        },
        boundary="boundary" if question["boundary"] else None,
        identity=tuple((name, documents[name]) for name in question["identity"]),
        boundaries=tuple((name, documents[name]) for name in question["boundary"]),
        unknown_policies=(),
        buckets={bucket: ((own, documents[own]),) if own else ()} if is_ours else {},
        keys={},
        key_policies={},
    )


def test_explain_access_answers_as_the_engine_does(
    decisions: Decisions, policies: Rendered
) -> None:
    documents = table.policies(policies)
    verdicts: dict[str, int] = dict.fromkeys(("yes", "no", "unknown"), 0)
    for row, said in zip(decisions.rows, decisions.decided, strict=True):
        if question := asked(row):
            answer = questions.answer(question, grants_of(row, documents, question.bucket))
            verdicts[answer.verdict] += 1
            if answer.verdict != "unknown":
                assert (answer.verdict == "yes") == said["allowed"], (row.text, answer)
    assert verdicts["yes"] > 10, verdicts
    assert verdicts["no"] > 10, verdicts
    # What is in another account, and what somebody has opened to everybody.
    assert verdicts["unknown"] < 10, verdicts
