"""What the emulator does with requests that no SDK would send."""

import gzip
import http.client
import json
import operator
import re
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.model import ListShape, Shape, StructureShape
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tools.localcloud.process import Running

from .conftest import trust

Refused = Callable[..., str]

MODEL = botocore.session.get_session().get_service_model("sagemaker")
RESOURCES = ("NotebookInstance", "NotebookInstanceLifecycleConfig", "CodeRepository")
OPERATIONS = [
    *(f"{verb}{of}" for of in RESOURCES for verb in ("Create", "Describe", "Update", "Delete")),
    "ListNotebookInstances",
    "ListNotebookInstanceLifecycleConfigs",
    "ListCodeRepositories",
    "StartNotebookInstance",
    "StopNotebookInstance",
    "CreatePresignedNotebookInstanceUrl",
    "AddTags",
    "ListTags",
    "DeleteTags",
]
AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=111122223333/20260101/us-east-1/sagemaker/aws4_request, "
    "SignedHeaders=host, Signature=0"
)


@dataclass(frozen=True)
class Answer:
    status: int
    error: str | None
    message: str | None


def send(running: Running, operation: str, body: bytes) -> Answer:
    status, text = post(running, operation, body)
    answer = json.loads(text or b"{}")
    return Answer(status, answer.get("__type"), answer.get("message"))


def post(running: Running, operation: str, body: bytes, **headers: str) -> tuple[int, bytes]:
    request = urllib.request.Request(
        running.endpoint,
        data=body,
        headers={
            "X-Amz-Target": f"SageMaker.{operation}",
            "Content-Type": "application/x-amz-json-1.1",
            "Authorization": AUTHORIZATION,
            **headers,
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=300) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def anything() -> st.SearchStrategy[Any]:
    leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    return st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


def requests(operation: str) -> st.SearchStrategy[dict[str, Any]]:
    """Valid by the model; in half of them one member is not."""
    shape = MODEL.operation_model(operation).input_shape
    assert shape is not None
    member = st.sampled_from(sorted(shape.members))
    spoiled = st.tuples(member, anything() | awkward()).map(lambda pair: dict([pair]))
    return st.builds(operator.or_, valid(shape), st.just({}) | spoiled)


def awkward() -> st.SearchStrategy[str]:
    return st.sampled_from(["", " ", "\ud800", "\u0000", "a" * 20_000]) | st.text(max_size=30)


def valid(shape: Shape) -> st.SearchStrategy[Any]:
    limits = shape.metadata
    if isinstance(shape, StructureShape):
        members = {name: valid(member) for name, member in shape.members.items()}
        required = {name: members.pop(name) for name in shape.required_members}
        return st.fixed_dictionaries(required, optional=members)
    if isinstance(shape, ListShape):
        return st.lists(valid(shape.member), min_size=limits.get("min", 0), max_size=2)
    if shape.type_name == "string":
        return st.sampled_from(limits.get("enum") or [text for text in TEXTS if fits(shape, text)])
    if shape.type_name == "boolean":
        return st.booleans()
    if shape.type_name == "timestamp":
        return st.integers(0, 2**32) | st.floats(0, 2**32)
    return st.integers(limits.get("min", 0), limits.get("max", 2**40))


# One or more for every pattern; few, so that requests meet the resources of others.
TEXTS = [
    "1",
    "2",
    "a",
    "b",
    "YQ==",
    "notebook-al2023-v1",
    "https://example.com/r.git",
    "arn:aws:iam::111122223333:role/notebooks",
    "arn:aws:secretsmanager:us-east-1:111122223333:secret:git",
    "arn:aws:sagemaker:us-east-1:111122223333:code-repository/a",
    "arn:aws:sagemaker:us-east-1:111122223333:notebook-instance/a",
    "arn:aws:sagemaker:us-east-1:111122223333:notebook-instance-lifecycle-config/a",
]


def fits(shape: Shape, text: str) -> bool:
    limits = shape.metadata
    pattern = re.sub(r"\\p\{.\}", "a-zA-Z0-9", limits.get("pattern", "(?s:.*)"))
    in_length = limits.get("min", 0) <= len(text) <= limits.get("max", len(text))
    return in_length and re.fullmatch(pattern, text) is not None


@pytest.fixture(scope="module")
def role(client: Callable[..., Any]) -> None:
    """Requests of the fuzzer's account find the role that they name."""
    client("iam", account="111122223333").create_role(
        RoleName="notebooks", AssumeRolePolicyDocument=trust("sagemaker.amazonaws.com")
    )


@pytest.mark.usefixtures("role")
@settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_no_request_makes_the_emulator_fail(local_cloud: Running, data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from(OPERATIONS))
    body = json.dumps(data.draw(requests(operation))).encode()
    assert send(local_cloud, operation, body).status in (200, 400)


@settings(max_examples=100, deadline=None)
@given(operation=st.sampled_from(OPERATIONS), body=st.binary(max_size=200))
def test_no_bytes_make_the_emulator_fail(local_cloud: Running, operation: str, body: bytes) -> None:
    assert send(local_cloud, operation, body).status in (200, 400)


UNREADABLE = [
    b"{",
    b"[]",
    b'"text"',
    b"12",
    b'{"MaxResults": 1e999}',
    b'{"MaxResults": ' + b"9" * 5000 + b"}",
    b'{"NameContains": "\xff"}',
    b"[" * 100_000,
]


@pytest.mark.parametrize("body", UNREADABLE, ids=lambda body: body[:24].decode("latin-1"))
def test_an_unreadable_body_is_refused(local_cloud: Running, body: bytes) -> None:
    answer = send(local_cloud, "ListNotebookInstances", body)
    assert (answer.status, answer.error) == (400, "SerializationException")


@pytest.mark.parametrize(
    "body",
    [
        {"MaxResults": "5"},
        {"MaxResults": 5.5},
        {"MaxResults": True},
        {"NameContains": 5},
        {"NameContains": ["a"]},
        {"CreationTimeAfter": "yesterday"},
        {"CreationTimeAfter": 1e300},
        {"NameContains": "\ud800"},
    ],
    ids=str,
)
def test_a_value_of_another_type_is_refused(local_cloud: Running, body: dict[str, Any]) -> None:
    answer = send(local_cloud, "ListNotebookInstances", json.dumps(body).encode())
    assert (answer.status, answer.error) == (400, "SerializationException")


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Amz-Target": ""},
        {"X-Amz-Target": "SageMaker"},
        {"Content-Type": "application/x-amz-cbor-1.1"},
        {"Content-Encoding": "gzip"},
        {"Authorization": "AWS4-HMAC-SHA256 Credential=/////"},
        {"Authorization": "nonsense"},
    ],
    ids=str,
)
def test_unusual_headers_do_not_make_the_emulator_fail(
    local_cloud: Running, headers: dict[str, str]
) -> None:
    for body in (b"{}", b"\xa0", b"\x1f\x8b\x00"):
        status, _ = post(local_cloud, "ListNotebookInstances", body, **headers)
        assert status < 500


@pytest.mark.parametrize("body", [b"", b"null", b"{}", b'{"NoSuchMember": [1]}'])
def test_a_request_without_members_is_one_with_the_defaults(
    local_cloud: Running, body: bytes
) -> None:
    assert send(local_cloud, "ListNotebookInstances", body).status == 200


def test_an_oversized_request_is_refused(local_cloud: Running) -> None:
    body = json.dumps({"NameContains": "a" * 2_000_000}).encode()
    answer = send(local_cloud, "ListNotebookInstances", body)
    assert (answer.status, answer.error) == (413, "RequestEntityTooLargeException")


def chunked(running: Running, body: bytes, packed: bool) -> tuple[int, bytes]:
    """Sends a body whose length no header says."""
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=300)
    headers = {
        "X-Amz-Target": "SageMaker.ListNotebookInstances",
        "Content-Type": "application/x-amz-json-1.1",
        "Authorization": AUTHORIZATION,
        **({"Content-Encoding": "gzip"} if packed else {}),
    }
    pieces = (body[start : start + 65_536] for start in range(0, len(body), 65_536))
    connection.request("POST", "/", pieces, headers, encode_chunked=True)
    answer = connection.getresponse()
    return answer.status, answer.read()


@pytest.mark.parametrize("in_chunks", [False, True], ids=["at once", "in chunks"])
@pytest.mark.parametrize("parts", [1, 2])
def test_the_limit_is_of_the_unpacked_body(
    local_cloud: Running, in_chunks: bool, parts: int
) -> None:
    """A gzip file has a thousandth of its content's length; RFC 1952 allows several parts."""

    def status(length: int) -> int:
        text = json.dumps({"NameContains": "a"}).encode().ljust(length)
        half = len(text) // parts
        body = b"".join(gzip.compress(text[i * half : (i + 1) * half]) for i in range(parts))
        if in_chunks:
            return chunked(local_cloud, body, packed=True)[0]
        return post(local_cloud, "ListNotebookInstances", body, **{"Content-Encoding": "gzip"})[0]

    assert status(1024 * 1024) == 200
    assert status(1024 * 1024 + 2) == 413


def test_unpacking_ends_at_the_limit() -> None:
    from tools.emulator.sagemaker import malformed  # imports LocalStack

    body = gzip.compress(bytes(100_000_000))
    assert len(body) < 100_000
    assert len(malformed._unpack(body)) == malformed.MAX_BYTES + 1


def test_a_long_body_in_chunks_is_refused(local_cloud: Running) -> None:
    text = json.dumps({"NameContains": "a"}).encode()
    assert chunked(local_cloud, text.ljust(1024 * 1024), packed=False)[0] == 200
    assert chunked(local_cloud, text.ljust(1024 * 1024 + 1), packed=False)[0] == 413


@pytest.mark.parametrize("encoding", ["deflate", "br", "gzip, gzip", "x-gzip"])
def test_an_encoding_that_is_not_known_is_refused(local_cloud: Running, encoding: str) -> None:
    body = zlib.compress(b"{}")
    headers = {"Content-Encoding": encoding}
    status, text = post(local_cloud, "ListNotebookInstances", body, **headers)
    assert (status, json.loads(text)["__type"]) == (400, "SerializationException")


@pytest.mark.parametrize("service", ["ec2", "s3", "sts", "iam", "no-such-service"])
def test_a_request_that_is_signed_for_another_service_is_refused(
    local_cloud: Running, service: str
) -> None:
    headers = {"Authorization": AUTHORIZATION.replace("/sagemaker/", f"/{service}/")}
    status, text = post(local_cloud, "ListNotebookInstances", b"{}", **headers)
    assert (status, json.loads(text)) == (
        400,
        {
            "__type": "InvalidSignatureException",
            "message": "Credential should be scoped to correct service: 'sagemaker'.",
        },
    )


def test_a_request_that_is_not_signed_is_answered(local_cloud: Running) -> None:
    """As LocalStack does for every service: it checks no signature."""
    status, _ = post(local_cloud, "ListNotebookInstances", b"{}", Authorization="")
    assert status == 200


def test_an_operation_that_does_not_exist_is_refused(local_cloud: Running) -> None:
    answer = send(local_cloud, "MakeCoffee", b"{}")
    assert (answer.status, answer.error) == (400, "UnknownOperationException")


def test_an_operation_that_is_not_emulated_says_so(client: Callable[..., Any]) -> None:
    with pytest.raises(ClientError, match="ListModels") as caught:
        client("sagemaker").list_models()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"NotebookInstanceName": "-bad"},
            "1 validation error detected: Value '-bad' at 'notebookInstanceName' failed to satisfy "
            "constraint: Member must satisfy regular expression pattern: "
            "[a-zA-Z0-9](-*[a-zA-Z0-9])*",
        ),
        (
            {"NotebookInstanceName": "a" * 64},
            f"1 validation error detected: Value '{'a' * 64}' at 'notebookInstanceName' failed to "
            "satisfy constraint: Member must have length less than or equal to 63",
        ),
        (
            {"InstanceType": None, "RoleArn": None},
            "2 validation errors detected: Value null at 'instanceType' failed to satisfy "
            "constraint: Member must not be null; Value null at 'roleArn' failed to satisfy "
            "constraint: Member must not be null",
        ),
        (
            {"VolumeSizeInGB": 4},
            "1 validation error detected: Value '4' at 'volumeSizeInGB' failed to satisfy "
            "constraint: Member must have value greater than or equal to 5",
        ),
        (
            {"RootAccess": "Maybe"},
            "1 validation error detected: Value 'Maybe' at 'rootAccess' failed to satisfy "
            "constraint: Member must satisfy enum value set: [Enabled, Disabled]",
        ),
        (
            {"SecurityGroupIds": [f"sg-{number}" for number in range(6)]},
            "1 validation error detected: Value '[sg-0, sg-1, sg-2, sg-3, sg-4, sg-5]' at "
            "'securityGroupIds' failed to satisfy constraint: "
            "Member must have length less than or equal to 5",
        ),
        (
            {"AdditionalCodeRepositories": [None]},
            "1 validation error detected: Value null at 'additionalCodeRepositories.1.member' "
            "failed to satisfy constraint: Member must not be null",
        ),
        (
            {"InstanceMetadataServiceConfiguration": {}},
            "1 validation error detected: Value null at "
            "'instanceMetadataServiceConfiguration.minimumInstanceMetadataServiceVersion' failed "
            "to satisfy constraint: Member must not be null",
        ),
    ],
    ids=lambda value: ", ".join(value) if isinstance(value, dict) else "",
)
def test_a_broken_constraint_is_worded_as_on_aws(
    local_cloud: Running, arguments: dict[str, Any], message: str
) -> None:
    valid = {
        "NotebookInstanceName": "good",
        "InstanceType": "ml.t3.medium",
        "RoleArn": "arn:aws:iam::111122223333:role/notebooks",
    }
    body = json.dumps({**valid, **arguments}).encode()
    answer = send(local_cloud, "CreateNotebookInstance", body)
    assert (answer.status, answer.error) == (400, "ValidationException")
    assert answer.message == message


def test_an_instance_type_that_does_not_exist_is_refused_with_those_that_do(
    client: Callable[..., Any], refused: Refused
) -> None:
    message = refused(
        client("sagemaker", checked=False).create_notebook_instance,
        NotebookInstanceName="good",
        InstanceType="ml.m5.large",
        RoleArn="arn:aws:iam::111122223333:role/notebooks",
    )
    assert "'ml.m5.large' at 'instanceType'" in message
    assert "ml.m5.xlarge" in message
