import json
from pathlib import Path
from typing import Any

import pytest

from tools.errors import UserError
from tools.fleet import access, grants
from tools.fleet.access import Access
from tools.fleet.statements import Statement
from tools.layout.stack import Stack

ROLE = "arn:aws:iam::123456789012:role/acme-notebook-alice"
BUCKET = "arn:aws:s3:::acme-datasets"
JOBS = "arn:aws:sagemaker:us-east-1:123456789012:training-job"


def statement(sid: str, actions: Any, resources: Any, **more: Any) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources, **more}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [*statements]})


def resource(kind: str, **values: Any) -> dict[str, Any]:
    return {"type": kind, "values": values}


NOTEBOOK = resource("aws_sagemaker_notebook_instance", role_arn=ROLE)


def explain(notebook: str, own: list[dict[str, Any]], upstream: list[dict[str, Any]]) -> Access:
    return access.explain(grants.collect(notebook, own, upstream))


def role(**more: Any) -> dict[str, Any]:
    return resource("aws_iam_role", arn=ROLE, name="alice", **more)


def managed(name: str, *statements: dict[str, Any]) -> list[dict[str, Any]]:
    """A policy and its attachment."""
    return [
        resource("aws_iam_policy", arn=f"p/{name}", name=name, policy=policy(*statements)),
        resource("aws_iam_role_policy_attachment", role="alice", policy_arn=f"p/{name}"),
    ]


def bounded(identity: list[dict[str, Any]], *bound: dict[str, Any], **tags: str) -> Access:
    boundary = resource("aws_iam_policy", arn="p/b", name="b", policy=policy(*bound))
    own = role(permissions_boundary="p/b", tags_all=tags)
    return explain("notebooks/alice", [NOTEBOOK, own], [*identity, boundary])


def test_data_is_read_and_written_and_the_rest_is_called() -> None:
    upstream = managed(
        "data", statement("Data", ["s3:GetObject", "s3:PutObject", "sagemaker:AddTags"], "*")
    )
    found = explain("notebooks/alice", [NOTEBOOK], [role(), *upstream])
    assert found.reads == (Statement("data: Data", ("s3:GetObject",), ("*",), ()),)
    assert found.writes == (Statement("data: Data", ("s3:PutObject",), ("*",), ()),)
    assert found.calls == (Statement("data: Data", ("sagemaker:AddTags",), ("*",), ()),)


def test_all_of_a_service_that_holds_data_is_both() -> None:
    upstream = managed("all", statement("All", "s3:*", "*"))
    found = explain("notebooks/alice", [NOTEBOOK], [role(), *upstream])
    assert [s.actions for s in (*found.reads, *found.writes)] == [("s3:*",), ("s3:*",)]


@pytest.mark.parametrize(
    ("action", "kinds"),
    [
        ("*", "read write call"),
        ("s*:GetObject", "read write call"),
        ("S3:GetObject", "read"),
        ("s3:getobject", "read"),
        ("s3:G*", "read write"),
        ("s3:Put*", "write"),
        ("ecr:BatchGet*", "read"),
        ("SageMaker:Search", "call"),
    ],
)
def test_wildcards_and_capitals_in_actions(action: str, kinds: str) -> None:
    found = explain("a", [NOTEBOOK], [role(), *managed("p", statement("S", action, "*"))])
    shown = {"read": found.reads, "write": found.writes, "call": found.calls}
    assert [kind for kind, statements in shown.items() if statements] == kinds.split()


@pytest.mark.parametrize("effect", ["Allow", "Deny"])
def test_what_is_said_by_what_it_leaves_out_is_named(effect: str) -> None:
    left_out = {"Sid": "Not", "Effect": effect, "NotAction": "iam:*", "NotResource": "*"}
    found = explain("a", [NOTEBOOK], [role(), *managed("p", left_out)])
    assert found.unexplained == (f"p: Not ({effect} with NotAction and NotResource)",)
    assert (found.reads, found.writes, found.calls, found.denied) == ((), (), (), ())
    assert "Not explained, read it yourself: p: Not" in access.format_access(found)


def test_policies_in_the_role_itself_count_once() -> None:
    read = policy(statement("Read", "s3:GetObject", "*"))
    inline = [{"name": "own", "policy": read}, {"name": "", "policy": ""}]
    own = role(inline_policy=inline, managed_policy_arns=["theirs", "p/p"])
    same = resource("aws_iam_role_policy", role="alice", name="own", policy=read)
    call = managed("p", statement("Call", "sagemaker:Search", "*"))
    for more in ([], [same]):
        found = explain("a", [NOTEBOOK], [own, *call, *more])
        assert [one.source for one in (*found.reads, *found.calls)] == ["own: Read", "p: Call"]
        assert found.unknown_policies == ("theirs",)


def test_a_tag_s_default_stands_where_the_role_lacks_it() -> None:
    equal = {"StringEquals": {"aws:ResourceTag/Notebook": "${aws:PrincipalTag/notebook, '-'}"}}
    stop = managed("p", statement("Stop", "sagemaker:StopNotebookInstance", "*", Condition=equal))
    for tags, value in (({}, "-"), ({"Notebook": "alice"}, "alice")):
        found = explain("a", [NOTEBOOK], [role(tags_all=tags), *stop])
        assert found.calls[0].conditions == (f"StringEquals aws:ResourceTag/Notebook: {value}",)


def test_an_arn_that_ends_early_is_no_traceback() -> None:
    found = bounded(
        managed("s3", statement("Read", "s3:GetObject", "arn:aws:s3*")),
        statement("Own", "s3:GetObject", f"{BUCKET}/*"),
    )
    assert found.reads[0].resources == (f"{BUCKET}/*",)


@pytest.mark.parametrize("width", [20, 40, 80])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    actions = [f"s3:{verb}Object" for verb in ("Get", "Put", "Delete", "Restore")]
    long = f"{BUCKET}/{'users/alice/' * 10}*"
    upstream = managed("a-policy-with-a-long-name", statement("DataOfAlice", actions, long))
    found = explain("notebooks/alice", [NOTEBOOK], [role(), *upstream])
    folded = access.format_access(found, width)
    assert max(map(len, folded.splitlines())) <= width
    assert "".join(folded.split()) == "".join(access.format_access(found).split())


def test_whose_role_it_is() -> None:
    shared = explain("notebooks/alice", [NOTEBOOK], [role()])
    own = explain("notebooks/alice", [NOTEBOOK, role()], [])
    assert (shared.own_role, own.own_role) == (False, True)


def test_a_boundary_leaves_what_both_allow() -> None:
    found = bounded(
        managed("s3", statement("Write", ["s3:PutObject", "s3:GetObject"], f"{BUCKET}/*")),
        statement("Own", "s3:Put*", [f"{BUCKET}/users/alice/*", "arn:aws:s3:::other/*"]),
    )
    assert found.boundary == "b"
    assert found.reads == ()
    allowed = Statement("s3: Write", ("s3:PutObject",), (f"{BUCKET}/users/alice/*",), ())
    assert found.writes == (allowed,)


def test_the_narrower_of_each_part_of_an_arn() -> None:
    found = bounded(
        managed("jobs", statement("Jobs", "sagemaker:*", f"{JOBS}/*")),
        statement("Own", "sagemaker:*", "arn:aws:sagemaker:*:*:training-job/alice--*"),
    )
    assert found.calls[0].resources == (f"{JOBS}/alice--*",)


def test_patterns_that_only_overlap_are_shown_and_not_lost() -> None:
    found = bounded(
        managed("s3", statement("Csv", "s3:GetObject", f"{BUCKET}/*.csv")),
        statement("Own", "s3:GetObject", f"{BUCKET}/alice/*"),
    )
    (resource,) = found.reads[0].resources
    assert resource == "arn:aws:s3:::acme-datasets/*.csv and acme-datasets/alice/*"


def test_the_role_s_tags_are_filled_in() -> None:
    bound = statement("Own", "s3:GetObject", BUCKET + "/users/${aws:PrincipalTag/Notebook}/*")
    identity = managed("s3", statement("Read", "s3:GetObject", "*"))
    tagged = bounded(identity, bound, Notebook="alice")
    assert tagged.reads[0].resources == (f"{BUCKET}/users/alice/*",)
    assert bounded(identity, bound).reads == ()


def test_conditions_of_both_hold() -> None:
    one = {"StringLike": {"s3:prefix": ["a/*"]}}
    other = {"Bool": {"aws:SecureTransport": "true"}}
    found = bounded(
        managed("s3", statement("List", "s3:ListBucket", BUCKET, Condition=one)),
        statement("Bound", "s3:ListBucket", BUCKET, Condition=other),
    )
    assert found.reads[0].conditions == (
        "StringLike s3:prefix: a/*",
        "Bool aws:SecureTransport: true",
    )


def test_denials_of_role_boundary_and_buckets() -> None:
    def no(sid: str) -> dict[str, Any]:
        return {**statement(sid, "s3:*", "*"), "Effect": "Deny"}

    bucket = resource("aws_s3_bucket_policy", bucket="acme", policy=policy(no("Bucket")))
    found = bounded([*managed("s3", no("Role")), bucket], no("Boundary"))
    sources = [denied.source for denied in found.denied]
    assert sources == ["s3: Role", "b: Boundary", "bucket acme: Bucket"]


def test_policies_that_are_made_elsewhere_are_named() -> None:
    attached = resource("aws_iam_role_policy_attachment", role="alice", policy_arn="theirs")
    own = role(permissions_boundary="bound-elsewhere")
    found = explain("notebooks/alice", [NOTEBOOK, own], [attached])
    assert found.unknown_policies == ("theirs", "bound-elsewhere")
    assert "Not made here, so not shown: theirs" in access.format_access(found)


def test_another_role_s_policies_do_not_count() -> None:
    other = resource(
        "aws_iam_role_policy", role="bob", name="bob", policy=policy(statement("All", "s3:*", "*"))
    )
    found = explain("notebooks/alice", [NOTEBOOK, role()], [other])
    assert (found.reads, found.writes) == ((), ())


def test_a_role_that_nothing_here_makes_is_refused() -> None:
    with pytest.raises(UserError, match="which neither it nor a stack that it reads has made"):
        explain("notebooks/alice", [NOTEBOOK], [])


class Place:
    mend = ""

    def __init__(self, content: bytes | None) -> None:
        self.content = content

    def read(self, suffix: str = "") -> bytes | None:
        return self.content

    def write(self, content: bytes, suffix: str) -> None:
        raise AssertionError("nothing is written")

    def delete(self, suffix: str) -> None:
        raise AssertionError("nothing is deleted")


@pytest.mark.parametrize(
    ("place", "complaint"),
    [
        (Place(None), "notebooks/alice is not deployed, so it has no role yet; deploy it: tools"),
        (Place(b"{"), "is not a complete Terraform state"),
        (None, "do not say where its state is"),
    ],
)
def test_without_a_state_it_says_why(tmp_path: Path, place: Place | None, complaint: str) -> None:
    (tmp_path / "notebooks/alice").mkdir(parents=True)
    with pytest.raises(UserError, match=complaint):
        grants.read_grants(Stack(tmp_path, "notebooks/alice"), [], lambda stack: place, "")
