"""What a notebook may do, asked one by one; the oracle is AWS's logic of evaluation.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
tests/iam holds the answers against an engine that knows nothing of this.
"""

import json
from typing import Any

import pytest

from tests.unit.fleet.test_access import (
    BUCKET,
    NOTEBOOK,
    managed,
    policy,
    resource,
    role,
    statement,
)
from tools.errors import UserError
from tools.fleet import grants, questions
from tools.fleet.questions import Answer, Question

OURS = resource("aws_s3_bucket", bucket="acme-datasets")
KEY = "arn:aws:kms:eu-west-1:123456789012:key/1"
ROOT = {"AWS": "arn:aws:iam::123456789012:root"}


def ask(text: str, *resources: dict[str, Any], **of_role: Any) -> Answer:
    found = grants.collect("notebooks/alice", [NOTEBOOK, role(**of_role)], [OURS, *resources])
    return questions.answer(Question.parse(text), found)


def bucket_policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return resource("aws_s3_bucket_policy", bucket="acme-datasets", policy=policy(*statements))


READ = managed("data", statement("Read", "s3:Get*", f"{BUCKET}/shared/*"))


def test_a_statement_that_allows_it_is_named() -> None:
    assert ask("read s3://acme-datasets/shared/a.csv", *READ) == Answer(
        "yes", "allowed by data: Read"
    )
    no = ask("read s3://acme-datasets/other/a.csv", *READ)
    assert no.verdict == "no"
    assert no.reason == f"no policy of its role allows s3:GetObject on {BUCKET}/other/a.csv"
    assert ask("write s3://acme-datasets/shared/a.csv", *READ).verdict == "no"


@pytest.mark.parametrize(
    ("condition", "verdict"),
    [
        ({"Bool": {"aws:SecureTransport": "false"}}, "yes"),  # it is asked by HTTPS
        ({"Bool": {"aws:SecureTransport": "true"}}, "no"),
        ({"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}, "unknown"),
        ({"StringNotEquals": {"aws:PrincipalAccount": "123456789012"}}, "yes"),
        ({"StringNotLikeIfExists": {"aws:PrincipalTag/Team": "nlp*"}}, "no"),
        ({"Null": {"aws:PrincipalTag/Team": "true"}}, "no"),
        ({"ForAnyValue:StringEquals": {"aws:PrincipalAccount": "1"}}, "unknown"),
    ],
)
def test_a_denial_counts_if_its_condition_holds(condition: Any, verdict: str) -> None:
    deny = {"Sid": "D", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}
    denied = bucket_policy({**deny, "Condition": condition})
    found = ask("read s3://acme-datasets/shared/a.csv", *READ, denied)
    assert found.verdict == verdict, found
    if verdict == "no":
        assert found.reason == "denied by bucket acme-datasets: D"


def test_a_list_is_allowed_by_its_prefix() -> None:
    own = {"StringLike": {"s3:prefix": ["shared/*", "users/${aws:PrincipalTag/Notebook}/*"]}}
    lists = managed("data", statement("List", "s3:ListBucket", BUCKET, Condition=own))
    tags = {"tags_all": {"Notebook": "alice"}}
    assert ask("list s3://acme-datasets/users/alice/", *lists, **tags).verdict == "yes"
    assert ask("list s3://acme-datasets/users/bob/", *lists, **tags).verdict == "no"
    assert ask("list s3://acme-datasets", *lists, **tags).verdict == "no"


def test_a_boundary_has_to_allow_it_too() -> None:
    bound = resource(
        "aws_iam_policy",
        arn="p/b",
        name="b",
        policy=policy(statement("Own", "s3:*", f"{BUCKET}/users/alice/*")),
    )
    every = managed("data", statement("All", "s3:*", "*"))
    has = {"permissions_boundary": "p/b"}
    assert ask("write s3://acme-datasets/users/alice/a", *every, bound, **has).verdict == "yes"
    found = ask("write s3://acme-datasets/users/bob/a", *every, bound, **has)
    assert found == Answer("no", "its permissions boundary b does not allow it")
    missing = ask("write s3://acme-datasets/users/alice/a", *every, **has)
    assert missing.verdict == "unknown"
    assert "its permissions boundary p/b is made elsewhere" in missing.reason


def test_what_is_made_elsewhere_is_unknown() -> None:
    every = managed("data", statement("All", "s3:*", "*"))
    found = ask("read s3://somebody-elses/a", *every)
    assert found.verdict == "unknown"
    assert "the policy of somebody-elses, which no stack here makes" in found.reason
    assert ask("read s3://somebody-elses/a", *READ).verdict == "unknown"
    deny = managed("no", {**statement("No", "s3:*", "arn:aws:s3:::somebody*"), "Effect": "Deny"})
    assert ask("read s3://somebody-elses/a", *every, *deny).verdict == "no"
    theirs = {"managed_policy_arns": ["p/data", "theirs"]}
    assert ask("read s3://acme-datasets/shared/a", *READ, **theirs).verdict == "unknown"


def test_what_is_left_out_is_allowed_and_denied() -> None:
    all_but = {"Sid": "Not", "Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}
    assert ask("delete s3://acme-datasets/a", *managed("p", all_but)).verdict == "yes"
    fence = {"Sid": "F", "Effect": "Deny", "Action": "*", "NotResource": f"{BUCKET}/own/*"}
    both = managed("p", all_but, fence)
    assert ask("delete s3://acme-datasets/own/a", *both).verdict == "yes"
    assert ask("delete s3://acme-datasets/a", *both).verdict == "no"


def test_an_encrypted_bucket_asks_for_its_key_too() -> None:
    encrypted = resource(
        "aws_s3_bucket_server_side_encryption_configuration",
        bucket="acme-datasets",
        rule=[{"apply_server_side_encryption_by_default": [{"kms_master_key_id": KEY}]}],
    )
    delegating = {**statement("Root", "kms:*", "*"), "Principal": ROOT}
    key = resource("aws_kms_key", arn=KEY, policy=policy(delegating))
    closed = resource("aws_kms_key", arn=KEY, policy=policy())
    via = {"StringLike": {"kms:ViaService": "s3.*.amazonaws.com"}}
    decrypt = managed("key", statement("Use", "kms:Decrypt", KEY, Condition=via))
    text = "read s3://acme-datasets/shared/a"
    assert ask(text, *READ, encrypted, key, *decrypt) == Answer(
        "yes", "allowed by data: Read; kms:Decrypt by key: Use"
    )
    assert ask(text, *READ, encrypted, key).verdict == "no"
    assert ask(text, *READ, encrypted, *decrypt).verdict == "unknown"
    assert ask(text, *READ, encrypted, closed, *decrypt).verdict == "unknown"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("raed s3://a-b/c", "'raed' is nothing to ask about; did you mean read"),
        ("read a-b/c", 'ask "read s3://BUCKET/PATH"'),
        ("read s3://a-b", "names no object"),
        ("read s3://a-b/*", "is about many objects"),
        ("", "'' is nothing to ask about"),
    ],
)
def test_a_question_in_another_form_is_refused(text: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        Question.parse(text)
    assert said in str(caught.value)


def test_documents_with_one_statement_and_one_value_are_read() -> None:
    one = {"Version": "2012-10-17", "Statement": statement("S", "s3:GetObject", f"{BUCKET}/*")}
    inline = resource("aws_iam_role_policy", role="alice", name="own", policy=json.dumps(one))
    assert ask("read s3://acme-datasets/a", inline) == Answer("yes", "allowed by own: S")
