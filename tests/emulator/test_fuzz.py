"""Ten thousand requests, shaped by botocore's model and then spoiled: none makes the plugin fail.

Drawn from a seed, which FUZZ_SEED in the environment replaces and a failure names.
"""

import copy
import http.client
import json
import os
import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.model import ListShape, Shape, StructureShape

from tools.localcloud.process import Running

from .conftest import trust
from .test_requests import MODEL, OPERATIONS, fits
from .test_requests import TEXTS as TEXTS_OF_ANOTHER_ACCOUNT

REQUESTS = 12_000
CONNECTIONS = 4
SEED = int(os.environ.get("FUZZ_SEED", "20260701"))

ACCOUNT = "444455556666"
AUTHORIZATION = (
    f"AWS4-HMAC-SHA256 Credential={ACCOUNT}/20260101/us-east-1/sagemaker/aws4_request, "
    "SignedHeaders=host, Signature=0"
)
HEADERS = {"Content-Type": "application/x-amz-json-1.1", "Authorization": AUTHORIZATION}
TEXTS = [text.replace("111122223333", ACCOUNT) for text in TEXTS_OF_ANOTHER_ACCOUNT]
# 413 is for the oversized ones alone, which a test below asks for.
ANSWERS = {200, 400, 413}

# Which is there at times, as the requests before them have it.
NEED_A_STOPPED_INSTANCE = {
    "DeleteNotebookInstance",
    "StartNotebookInstance",
    "UpdateNotebookInstance",
}

ODD_TEXTS = [
    "",
    " ",
    "\u0000",
    "\u202e",
    "\U0001f600",
    "\ud800",
    "é",
    "../../etc/passwd",
    "${jndi:ldap://x}",
    "%s%n{0}{{7*7}}",
    "' OR 1=1 --",
    "<script>",
    "arn:aws:sagemaker:::",
    "a\r\nX-Injected: 1",
    "-" * 63,
    "a" * 64,
    "a" * 17_000,
    "-" + "a-" * 5_000 + "!",
]
ODD_VALUES: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    2**31,
    2**63,
    10**40,
    0.5,
    1e308,
    float("inf"),
    float("nan"),
    [],
    {},
    [None],
    [[]],
    {"": None},
    {"__type": "x"},
    [{"Key": "k", "Value": "v"}] * 60,
    *ODD_TEXTS,
]


@dataclass(frozen=True)
class Message:
    """A request as it goes over the wire; in `chunks` where it says no length beforehand."""

    target: str
    body: bytes
    headers: dict[str, str]
    chunks: bool = False


@dataclass(frozen=True)
class Answer:
    message: Message
    status: int
    text: bytes


def valid(shape: Shape, chance: random.Random) -> Any:
    """A value that the model takes."""
    limits = shape.metadata
    if isinstance(shape, StructureShape):
        return {
            name: valid(member, chance)
            for name, member in shape.members.items()
            if name in shape.required_members or chance.random() < 0.4
        }
    if isinstance(shape, ListShape):
        size = chance.randint(limits.get("min", 0), 2)
        return [valid(shape.member, chance) for _ in range(size)]
    if shape.type_name == "string":
        return chance.choice(limits.get("enum") or [text for text in TEXTS if fits(shape, text)])
    if shape.type_name == "boolean":
        return chance.random() < 0.5
    if shape.type_name == "timestamp":
        return chance.choice([0, 1.5, 2**31, 2**32])
    return chance.randint(limits.get("min", 0), min(limits.get("max", 100), 2**31))


def spoil(value: Any, chance: random.Random) -> Any:
    """`value` with one thing changed, added or taken away, however deep it lies."""
    if isinstance(value, dict) and value and chance.random() < 0.9:
        name = chance.choice(sorted(value))
        way = chance.random()
        if way < 0.15:
            return {other: value[other] for other in value if other != name}
        if way < 0.25:
            return {**value, chance.choice(ODD_TEXTS): value[name]}
        return {**value, name: spoil(value[name], chance)}
    if isinstance(value, list) and value and chance.random() < 0.7:
        place = chance.randrange(len(value))
        if chance.random() < 0.2:
            return value * chance.choice([2, 10, 60])
        return [*value[:place], spoil(value[place], chance), *value[place + 1 :]]
    if isinstance(value, str) and value and chance.random() < 0.4:
        place = chance.randrange(len(value) + 1)
        return value[:place] + chance.choice(ODD_TEXTS) + value[place:]
    return copy.deepcopy(chance.choice(ODD_VALUES))


def spoil_bytes(body: bytes, chance: random.Random) -> bytes:
    """`body` cut, with bytes changed, or something else altogether."""
    way = chance.randrange(6)
    if way == 0:
        return body[: chance.randrange(len(body) + 1)]
    if way == 1:
        return bytes(b ^ chance.choice([0, 0, 0, 1, 0x80]) for b in body)
    if way == 2:
        place = chance.randrange(len(body) + 1)
        return body[:place] + chance.randbytes(chance.randrange(1, 9)) + body[place:]
    if way == 3:
        return chance.randbytes(chance.randrange(300))
    if way == 4:
        return chance.choice([b"[", b'{"a":', b"{" * 9]) * chance.choice([1, 1000, 20_000])
    return body + body


def spoil_headers(target: str, chance: random.Random) -> tuple[str, dict[str, str]]:
    """Another spelling of the operation, or one header that is not what belongs there."""
    headers = dict(HEADERS)
    way = chance.randrange(6)
    if way == 0:
        target = chance.choice(
            [
                target.lower(),
                target.upper(),
                target + " ",
                "SageMaker.",
                target + ".X",
                "." + target,
            ]
        )
    elif way == 1:
        kinds = ["", "text/plain", "application/json", "application/xml", "a/b;charset=utf-99"]
        headers["Content-Type"] = chance.choice(kinds)
    elif way == 2:
        headers["Content-Encoding"] = chance.choice(["gzip", "br", "identity", "x"])
    elif way == 3:
        account = chance.choice(["", "1", "x" * 3000, "../..", "%00", ACCOUNT])
        region = chance.choice(["us-east-1", "eu-west-1"])
        headers["Authorization"] = AUTHORIZATION.replace(ACCOUNT, account).replace(
            "us-east-1", region
        )
    elif way == 4:
        headers["X-Amz-Security-Token"] = "t" * chance.choice([1, 4000])
    else:
        headers["Accept"] = chance.choice(["application/cbor", "text/html", "*/*;q=x"])
    return target, headers


def message(chance: random.Random) -> Message:
    """One in four valid, half with a spoiled value, the rest with spoiled bytes or headers."""
    operation = chance.choice(OPERATIONS)
    shape = MODEL.operation_model(operation).input_shape
    value = valid(shape, chance)
    target, headers = f"SageMaker.{operation}", HEADERS
    way = chance.random()
    if way < 0.5:
        for _ in range(chance.choice([1, 1, 1, 2, 5])):
            value = spoil(value, chance)
    body = json.dumps(value).encode()
    if 0.5 <= way < 0.65:
        body = spoil_bytes(body, chance)
    elif 0.65 <= way < 0.75:
        target, headers = spoil_headers(target, chance)
    return Message(target, body, headers, chunks=chance.random() < 0.05)


def send(messages: list[Message], running: Running) -> list[Answer]:
    """Over one connection, as long as the emulator keeps it open."""
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=300)
    answers = []
    for one in messages:
        body = iter([one.body]) if one.chunks else one.body
        headers = {**one.headers, "X-Amz-Target": one.target}
        connection.request("POST", "/", body, headers, encode_chunked=one.chunks)
        with connection.getresponse() as response:
            answers.append(Answer(one, response.status, response.read()))
    connection.close()
    return answers


@pytest.fixture(scope="module")
def role(client: Callable[..., Any]) -> None:
    client("iam", account=ACCOUNT).create_role(
        RoleName="notebooks", AssumeRolePolicyDocument=trust("sagemaker.amazonaws.com")
    )


@pytest.mark.usefixtures("role")
@pytest.mark.nightly
def test_ten_thousand_requests_and_no_failure(local_cloud: Running) -> None:
    chance = random.Random(SEED)
    messages = [message(chance) for _ in range(REQUESTS)]
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        shares = [messages[start::CONNECTIONS] for start in range(CONNECTIONS)]
        sent = list(pool.map(lambda share: send(share, local_cloud), shares))
    answers = [answer for share in sent for answer in share]
    assert len(answers) == REQUESTS >= 10_000
    wrong = [answer for answer in answers if answer.status not in ANSWERS]
    assert not wrong, f"FUZZ_SEED={SEED}: {len(wrong)} answers, the first to {wrong[0]!r:.2000}"
    # The requests got past the door: each operation was carried out and refused, many times.
    statuses = Counter(answer.status for answer in answers)
    assert statuses[200] > REQUESTS / 10
    assert statuses[400] > REQUESTS / 10
    for operation in OPERATIONS:
        done = Counter(
            answer.status for answer in answers if answer.message.target.endswith(f".{operation}")
        )
        assert done[400], operation
        assert done[200] or operation in NEED_A_STOPPED_INSTANCE, operation


@pytest.mark.parametrize("chunks", [False, True], ids=["with a length", "in chunks"])
@pytest.mark.parametrize("target", ["SageMaker.{}", "sagemaker.{}"])
@pytest.mark.parametrize("operation", ["CreateNotebookInstance", "ListTags", "NoSuchOperation"])
def test_what_is_too_big_is_refused_unread(
    local_cloud: Running, operation: str, target: str, chunks: bool
) -> None:
    # Imports LocalStack, which each worker would do as it collects.
    from tools.emulator.sagemaker.malformed import MAX_BYTES

    name = target.format(operation)
    [big, small] = send(
        [
            Message(name, b'{"NextToken": "' + b"a" * MAX_BYTES + b'"}', HEADERS, chunks),
            Message("SageMaker.ListNotebookInstances", b"{}", HEADERS, chunks),
        ],
        local_cloud,
    )
    assert (big.status, json.loads(big.text)["__type"]) == (413, "RequestEntityTooLargeException")
    assert small.status == 200  # on the same connection, which is in order


def test_what_is_drawn_is_the_same_for_a_seed() -> None:
    drawn = [[message(random.Random(seed)) for _ in range(3)] for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
