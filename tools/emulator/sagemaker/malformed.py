"""Requests that LocalStack cannot read at all, refused as SageMaker refuses them.

LocalStack answers them 500, and clients then try them again (localstack-core 4.13.1,
localstack/aws/handlers/service.py).
"""

from typing import Any

from botocore.model import OperationNotFoundError
from localstack.aws import handlers
from localstack.aws.api import CommonServiceException, RequestContext
from localstack.aws.handlers.service import ServiceRequestParser
from localstack.aws.protocol.parser import RequestParserError
from localstack.http import Response

from .errors import SerializationError

_TARGET_PREFIX = "sagemaker."
# The longest valid request, CreateNotebookInstance with every field full, has about 50,000 bytes.
MAX_BYTES = 1024 * 1024


def install() -> None:
    """To be called as LocalStack starts, from a hook in `localstack.hooks.on_infra_start`."""
    before_parsing: Any = handlers.preprocess_request
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


def _refuse_oversized(chain: Any, context: RequestContext, response: Response) -> None:
    target = context.request.headers.get("X-Amz-Target", "")
    # LocalStack finds the service whatever the case.
    if target.lower().startswith(_TARGET_PREFIX) and _length(context) > MAX_BYTES:
        error = {
            "__type": "RequestEntityTooLargeException",
            "message": f"A request has at most {MAX_BYTES} bytes",
        }
        chain.respond(413, error)


def _length(context: RequestContext) -> int:
    """In bytes; a body that comes in chunks says no length beforehand."""
    said = context.request.content_length
    return len(context.request.get_data()) if said is None else said


def _refuse_unreadable(context: RequestContext, error: RequestParserError) -> None:
    assert context.service is not None
    # an error can be written only as the answer to some operation
    context.operation = context.service.operation_model(context.service.operation_names[0])
    if isinstance(error.__cause__, OperationNotFoundError):
        raise CommonServiceException("UnknownOperationException", str(error.__cause__)) from error
    raise SerializationError("The request's body cannot be read") from error
