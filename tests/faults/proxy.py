"""A proxy in front of the emulator, which sees every call to AWS and can answer in its place."""

import http.client
import re
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType, TracebackType
from urllib.parse import parse_qs, urlsplit

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Call:
    """A call to AWS, such as ("iam", "CreateRole") or ("s3", "PUT terraform.tfstate").

    For S3, which has no name of an action in its requests, `action` is the method and the last
    part of the path: the object's name, or the bucket's.
    """

    service: str
    action: str


@dataclass(frozen=True)
class Refusal:
    """An error of AWS: its status and code."""

    status: int
    code: str


Rule = Callable[[Call], Refusal | None]


class Proxy:
    """Passes every call on to `endpoint`, and notes it in `calls`.

    `before` may refuse a call, which then does not reach AWS; `after` may refuse it when AWS has
    done it, so that its answer is lost. Both are called from any thread, and one at a time.
    A service of `elsewhere` has an endpoint of its own.
    """

    def __init__(self, endpoint: str, elsewhere: Mapping[str, str] = MappingProxyType({})) -> None:
        self.port = 0
        self.calls: list[Call] = []
        self.broken: list[str] = []  # what the emulator itself did not answer as AWS would
        self.before: Rule = lambda call: None
        self.after: Rule = lambda call: None
        self._upstream = urlsplit(endpoint)
        self._elsewhere = {service: urlsplit(other) for service, other in elsewhere.items()}
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None

    @property
    def is_up(self) -> bool:
        return self._server is not None

    def up(self) -> None:
        """Listens; on the port that it had, once it has had one."""
        ThreadingHTTPServer.allow_reuse_address = True
        self._server = ThreadingHTTPServer((HOST, self.port), self._handler())
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def down(self) -> None:
        """Refuses connections once it returns, and ends those that there are at their next call."""
        server, self._server = self._server, None
        if server:
            server.shutdown()
            server.server_close()

    def __enter__(self) -> "Proxy":
        self.up()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.down()

    def _refusal(self, rule: Rule, call: Call) -> Refusal | None:
        with self._lock:
            return rule(call)

    def _forward(
        self, service: str, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[http.client.HTTPResponse, bytes]:
        upstream = self._elsewhere.get(service, self._upstream)
        connection = http.client.HTTPConnection(str(upstream.hostname), upstream.port, timeout=600)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer, answer.read()
        except (http.client.HTTPException, OSError) as error:
            self.broken.append(f"{method} {path} {headers.get('Host')}: {error!r}")
            raise ConnectionError from error
        finally:
            connection.close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                # Who calls may be killed in the middle, which is what some tests are about.
                with suppress(ConnectionError):
                    super().handle_one_request()
                    return
                self.close_connection = True

            def _handle(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if not proxy.is_up:
                    self.close_connection = True
                    return
                call = call_of(self.command, self.path, dict(self.headers), body)
                proxy.calls.append(call)
                refusal = proxy._refusal(proxy.before, call)
                if not proxy.is_up:
                    self.close_connection = True
                    return
                if refusal is None:
                    headers = dict(self.headers.items())
                    answer, content = proxy._forward(
                        call.service, self.command, self.path, headers, body
                    )
                    if answer.status >= 500:
                        proxy.broken.append(f"{call}: {answer.status} {content[:500]!r}")
                    refusal = proxy._refusal(proxy.after, call)
                    if refusal is None:
                        self._pass_back(answer, content)
                        return
                self._refuse(call, refusal)

            def _pass_back(self, answer: http.client.HTTPResponse, content: bytes) -> None:
                self.send_response_only(answer.status, answer.reason)
                for name, value in answer.getheaders():
                    if name.lower() not in ("connection", "content-length", "transfer-encoding"):
                        self.send_header(name, value)
                # The length of what HEAD would have, where it is said.
                length = answer.getheader("Content-Length") if self.command == "HEAD" else None
                self.send_header("Content-Length", length or str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def _refuse(self, call: Call, refusal: Refusal) -> None:
                kind, content = shape(call.service, refusal)
                content = b"" if self.command == "HEAD" else content
                self.send_response_only(refusal.status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _handle

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        return Handler


def call_of(method: str, path: str, headers: dict[str, str], body: bytes) -> Call:
    """What a request asks of AWS.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-signing-elements.html
    """
    lower = {name.lower(): value for name, value in headers.items()}
    scope = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/", lower.get("authorization", ""))
    service = scope[1] if scope else "s3"
    if target := lower.get("x-amz-target"):
        return Call(service, target.rpartition(".")[2])
    if service != "s3" and (action := parse_qs(body.decode(errors="replace")).get("Action")):
        return Call(service, action[0])
    return Call(service, f"{method} {urlsplit(path).path.rstrip('/').rpartition('/')[2]}")


def shape(service: str, refusal: Refusal) -> tuple[str, bytes]:
    """The content type and the body with which a service says an error, by its protocol.

    https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html#operation-error-serialization
    https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#operation-error-serialization
    https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html#operation-error-serialization
    https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    """
    error = f"<Code>{refusal.code}</Code><Message>a fault of the test</Message>"
    if service == "sagemaker":
        text = f'{{"__type":"{refusal.code}","message":"a fault of the test"}}'
        return "application/x-amz-json-1.1", text.encode()
    if service == "s3":
        text = f"<Error>{error}<RequestId>r</RequestId><HostId>h</HostId></Error>"
        return "application/xml", b'<?xml version="1.0" encoding="UTF-8"?>\n' + text.encode()
    if service == "ec2":
        text = (
            f"<Response><Errors><Error>{error}</Error></Errors><RequestID>r</RequestID></Response>"
        )
        return "text/xml", text.encode()
    side = "Sender" if refusal.status < 500 else "Receiver"
    text = (
        f"<ErrorResponse><Error><Type>{side}</Type>{error}</Error>"
        "<RequestId>r</RequestId></ErrorResponse>"
    )
    return "text/xml", text.encode()


_SAID: dict[str, tuple[Refusal, Refusal, Refusal]] = {
    "s3": (
        Refusal(500, "InternalError"),
        Refusal(503, "ServiceUnavailable"),
        Refusal(503, "SlowDown"),
    ),
    "ec2": (
        Refusal(500, "InternalError"),
        Refusal(503, "Unavailable"),
        Refusal(503, "RequestLimitExceeded"),
    ),
    "sagemaker": (
        Refusal(500, "InternalFailure"),
        Refusal(503, "ServiceUnavailable"),
        Refusal(400, "ThrottlingException"),
    ),
}
_QUERY = (
    Refusal(500, "InternalFailure"),
    Refusal(503, "ServiceUnavailable"),
    Refusal(400, "Throttling"),
)


def passing_errors(service: str) -> tuple[Refusal, Refusal, Refusal]:
    """What the service says when it has failed, is not there for a while, and is asked too often.

    https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/CommonErrors.html
    https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
    """
    return _SAID.get(service, _QUERY)
