"""What a page in a browser could send to the local cloud, sent as a browser sends it."""

import http.client
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tools.emulator import pages
from tools.localcloud.process import Running

PAGE = "https://a-page.example"
FORM = "application/x-www-form-urlencoded"
UPLOAD = (
    '--b\r\nContent-Disposition: form-data; name="key"\r\n\r\nplanted\r\n'
    '--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nplanted\r\n--b--\r\n'
)
AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sagemaker/aws4_request, "
    "SignedHeaders=host, Signature=0"
)


@dataclass(frozen=True)
class Request:
    """`{user}` stands for a name that the page makes up, `{bucket}` for a bucket that is there."""

    method: str
    path: str = "/"
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""


CREATE_USER = "Action=CreateUser&UserName={user}&Version=2010-05-08"
SDK = {
    "Authorization": AUTHORIZATION,
    "Content-Type": "application/x-amz-json-1.1",
    "X-Amz-Target": "SageMaker.ListNotebookInstances",
}
FROM_PAGE = {"Origin": PAGE, "Sec-Fetch-Site": "cross-site"}
# A name of the page's own that leads to 127.0.0.1: the browser takes the emulator for its origin.
REBOUND = {"Host": "a-page.example:{port}", "Sec-Fetch-Site": "same-origin"}
KILL = '{"action": "kill"}'

REQUESTS = {
    # What a browser sends without asking first: https://fetch.spec.whatwg.org/#simple-header
    "a form": Request("POST", "/", {"Content-Type": FORM, **FROM_PAGE}, CREATE_USER),
    "a form of an old browser": Request(
        "POST", "/", {"Content-Type": FORM, "Origin": PAGE}, CREATE_USER
    ),
    "a form in a sandbox": Request(
        "POST", "/", {"Content-Type": FORM, "Origin": "null"}, CREATE_USER
    ),
    "a form that names its page alone": Request(
        "POST", "/", {"Content-Type": FORM, "Referer": f"{PAGE}/x"}, CREATE_USER
    ),
    "a form as text": Request(
        "POST", "/", {"Content-Type": "text/plain", **FROM_PAGE}, CREATE_USER
    ),
    "a form of another port here": Request(
        "POST",
        "/",
        {"Content-Type": FORM, "Origin": "http://localhost:3000", "Sec-Fetch-Site": "same-site"},
        CREATE_USER,
    ),
    "an image, its page unnamed": Request(
        "GET", f"/?{CREATE_USER}", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    ),
    "an image of an old browser": Request("GET", f"/?{CREATE_USER}", {"Referer": f"{PAGE}/x"}),
    "an upload to a bucket": Request(
        "POST",
        "/{bucket}",
        {"Content-Type": "multipart/form-data; boundary=b", **FROM_PAGE},
        UPLOAD,
    ),
    "the emulator's own switch": Request(
        "POST", "/_localstack/health", {"Content-Type": "text/plain", **FROM_PAGE}, KILL
    ),
    "a page of LocalStack's makers": Request(
        "POST", "/", {**SDK, "Origin": "https://app.localstack.cloud"}, "{}"
    ),
    # What it would send once a preflight had allowed it.
    "a request of an SDK": Request("POST", "/", {**SDK, **FROM_PAGE}, "{}"),
    "an object": Request("PUT", "/{bucket}/planted", FROM_PAGE, "planted"),
    # By a name of its own.
    "rebound, without an origin": Request("GET", f"/?{CREATE_USER}", REBOUND),
    "rebound, of an old browser": Request(
        "GET", f"/?{CREATE_USER}", {"Host": "a-page.example:{port}"}
    ),
    "rebound, a request of an SDK": Request(
        "POST", "/", {**SDK, **REBOUND, "Origin": "http://a-page.example:{port}"}, "{}"
    ),
    "rebound, the emulator's own switch": Request(
        "POST", "/_localstack/health", {"Content-Type": "text/plain", **REBOUND}, KILL
    ),
    "rebound, an object": Request("PUT", "/{bucket}/planted", REBOUND, "planted"),
    "by the address of every interface": Request(
        "GET", f"/?{CREATE_USER}", {"Host": "0.0.0.0:{port}"}
    ),
}
PREFLIGHTS = [
    Request(
        "OPTIONS",
        path,
        {
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type,x-amz-target",
            "Access-Control-Request-Private-Network": "true",
        },
    )
    for path in ("/", "/{bucket}/planted", "/_localstack/health")
    for origin in (PAGE, "null", "http://localhost:3000", "https://app.localstack.cloud")
]


@pytest.fixture
def user(client: Callable[..., Any]) -> str:
    return f"planted-{secrets.token_hex(4)}"


@pytest.fixture(scope="module")
def bucket(client: Callable[..., Any]) -> str:
    name = f"pages-{secrets.token_hex(4)}"
    client("s3").create_bucket(Bucket=name)
    return name


def send(
    running: Running, request: Request, user: str, bucket: str
) -> tuple[http.client.HTTPResponse, bytes]:
    names = {"user": user, "bucket": bucket, "port": str(running.port)}

    def filled(text: str) -> str:
        for name, value in names.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=300)
    headers = {name: filled(value) for name, value in request.headers.items()}
    connection.request(request.method, filled(request.path), filled(request.body).encode(), headers)
    response = connection.getresponse()
    return response, response.read()


@pytest.mark.parametrize("what", REQUESTS)
def test_a_page_drives_nothing(
    local_cloud: Running, client: Callable[..., Any], user: str, bucket: str, what: str
) -> None:
    response, text = send(local_cloud, REQUESTS[what], user, bucket)
    assert response.status == 403
    assert text.startswith(b"The local cloud refuses this request: ")
    assert user not in [found["UserName"] for found in client("iam").list_users()["Users"]]
    assert client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] == 0


@pytest.mark.parametrize(
    "request_", PREFLIGHTS, ids=lambda request: f"{request.path} {request.headers['Origin']}"
)
def test_no_page_is_allowed_anything(
    local_cloud: Running, user: str, bucket: str, request_: Request
) -> None:
    response, _ = send(local_cloud, request_, user, bucket)
    assert response.status == 403
    allowed = [name for name, _ in response.getheaders() if name.lower().startswith("access-")]
    assert allowed == []


@pytest.mark.parametrize(
    "headers", [{}, {"Sec-Fetch-Site": "none"}, {"Host": "localhost:{port}"}], ids=str
)
def test_the_same_requests_of_a_program_or_a_person_are_answered(
    local_cloud: Running,
    client: Callable[..., Any],
    user: str,
    bucket: str,
    headers: dict[str, str],
) -> None:
    response, _ = send(local_cloud, Request("GET", f"/?{CREATE_USER}", headers), user, bucket)
    assert response.status == 200
    assert user in [found["UserName"] for found in client("iam").list_users()["Users"]]
    response, _ = send(local_cloud, Request("POST", "/", {**SDK, **headers}, "{}"), user, bucket)
    assert response.status == 200


@pytest.mark.parametrize(
    ("host", "is_own"),
    [
        ("127.0.0.1", True),
        ("127.0.0.1:4566", True),
        ("[::1]:4566", True),
        ("LocalHost:4566", True),
        ("a-bucket.s3.localhost.localstack.cloud:4566", True),
        ("", True),  # no browser leaves it out
        ("localhost.a-page.example", False),
        ("127.0.0.1.a-page.example", False),
        ("notlocalhost", False),
        ("localhost@a-page.example", False),
        ("10.0.0.1", False),
        ("0.0.0.0", False),
        ("[::", False),
        ("[", False),
    ],
)
def test_the_hosts_that_are_this_machine(host: str, is_own: bool) -> None:
    assert (pages.complaint({"Host": host}) is None) == is_own
