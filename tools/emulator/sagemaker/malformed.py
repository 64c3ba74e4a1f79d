"""Requests that LocalStack cannot read at all, refused as SageMaker refuses them.

LocalStack answers them 500, and clients then try them again (localstack-core 4.13.1,
localstack/aws/handlers/service.py).
"""

import io
import re
import zlib
from typing import Any

from botocore.model import OperationNotFoundError
from localstack.aws import handlers
from localstack.aws.api import CommonServiceException, RequestContext
from localstack.aws.handlers.service import ServiceRequestParser
from localstack.aws.protocol.parser import RequestParserError
from localstack.http import Request, Response

from .errors import SerializationError

_SERVICE = "sagemaker"
_TARGET_PREFIX = f"{_SERVICE}."
# Key, date, region, service: AKIA.../20260101/us-east-1/sagemaker/aws4_request
_CREDENTIAL = re.compile(r"Credential=[^/,\s]+/[^/,\s]+/[^/,\s]+/([^/,\s]+)/aws4_request")
# The longest valid request, CreateNotebookInstance with every field full, has about 50,000 bytes.
MAX_BYTES = 1024 * 1024


def install() -> None:
    """Has LocalStack refuse what it cannot read; called as LocalStack starts.

    From a hook in `localstack.hooks.on_infra_start`.
    """
    before_parsing: Any = handlers.preprocess_request
    before_parsing.append(_refuse_wrong_scope)
    before_parsing.append(_refuse_oversized)

    parser_class: Any = ServiceRequestParser
    parse = parser_class.parse_and_enrich

    def parse_or_refuse(parser: ServiceRequestParser, context: RequestContext) -> None:
        try:
            parse(parser, context)
        except RequestParserError as error:
            if context.service is None or context.service.service_name != "sagemaker":
                raise
            _refuse_unreadable(context, error)

    parser_class.parse_and_enrich = parse_or_refuse


def _refuse_wrong_scope(chain: Any, context: RequestContext, response: Response) -> None:
    """Refuses what is signed for another service, which LocalStack would hand to that one."""
    request = context.request
    if _is_for_sagemaker(request) and _signed_service(request) not in (None, _SERVICE):
        error = {
            "__type": "InvalidSignatureException",
            "message": f"Credential should be scoped to correct service: '{_SERVICE}'.",
        }
        chain.respond(400, error)


def _refuse_oversized(chain: Any, context: RequestContext, response: Response) -> None:
    """Refuses a long body, and unpacks a packed one that is not.

    LocalStack would unpack it later, however long it becomes (localstack-core 4.13.1,
    localstack/aws/handlers/codec.py).
    """
    request = context.request
    if not _is_for_sagemaker(request) and _signed_service(request) != _SERVICE:
        return
    is_too_long = (request.content_length or 0) > MAX_BYTES
    body = b"" if is_too_long else request.stream.read(MAX_BYTES + 1)
    if request.content_encoding and request.content_encoding.lower() == "gzip":
        try:
            body = _unpack(body)
            request.headers["Content-Encoding"] = "identity"
        except zlib.error:
            pass  # LocalStack finds that it cannot be read
    if is_too_long or len(body) > MAX_BYTES:
        error = {
            "__type": "RequestEntityTooLargeException",
            "message": f"A request has at most {MAX_BYTES} bytes",
        }
        chain.respond(413, error)
    else:
        request.stream = io.BytesIO(body)


def _unpack(body: bytes) -> bytes:
    """What the gzip file `body` holds, at most one byte more than is allowed.

    Raises zlib.error if it is none.
    """
    unpacked = b""
    while body and len(unpacked) <= MAX_BYTES:  # such a file may have several parts
        part = zlib.decompressobj(zlib.MAX_WBITS | 16)
        unpacked += part.decompress(body, MAX_BYTES + 1 - len(unpacked))
        if not part.eof and len(unpacked) <= MAX_BYTES:
            raise zlib.error("cut short")
        body = part.unused_data
    return unpacked


def _is_for_sagemaker(request: Request) -> bool:
    # LocalStack finds the service whatever the case.
    return bool(request.headers.get("X-Amz-Target", "").lower().startswith(_TARGET_PREFIX))


def _signed_service(request: Request) -> str | None:
    """The service in the signature's scope; None without a signature that can be read.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html
    """
    scope = _CREDENTIAL.search(request.headers.get("Authorization", ""))
    return scope[1] if scope else None


def _refuse_unreadable(context: RequestContext, parser_error: RequestParserError) -> None:
    assert context.service is not None
    # an error can be written only as the answer to some operation
    context.operation = context.service.operation_model(context.service.operation_names[0])
    if isinstance(parser_error.__cause__, OperationNotFoundError):
        raise CommonServiceException(
            "UnknownOperationException", str(parser_error.__cause__)
        ) from parser_error
    raise SerializationError("The request's body cannot be read") from parser_error
