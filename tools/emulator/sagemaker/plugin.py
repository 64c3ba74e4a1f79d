"""The provider plugin: which operation is which function."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from localstack.aws.api import RequestContext
from localstack.services.plugins import Service, aws_provider

from . import code_repositories, lifecycle_configs, notebooks, tags
from .errors import SerializationError
from .validation import read

Operation = Callable[[RequestContext, dict[str, Any]], dict[str, Any]]

OPERATIONS: dict[str, Operation] = {
    "AddTags": tags.add_tags,
    "CreateCodeRepository": code_repositories.create,
    "CreateNotebookInstance": notebooks.create,
    "CreateNotebookInstanceLifecycleConfig": lifecycle_configs.create,
    "CreatePresignedNotebookInstanceUrl": notebooks.presigned_url,
    "DeleteCodeRepository": code_repositories.delete,
    "DeleteNotebookInstance": notebooks.delete,
    "DeleteNotebookInstanceLifecycleConfig": lifecycle_configs.delete,
    "DeleteTags": tags.delete_tags,
    "DescribeCodeRepository": code_repositories.describe,
    "DescribeNotebookInstance": notebooks.describe,
    "DescribeNotebookInstanceLifecycleConfig": lifecycle_configs.describe,
    "ListCodeRepositories": code_repositories.list_all,
    "ListNotebookInstanceLifecycleConfigs": lifecycle_configs.list_all,
    "ListNotebookInstances": notebooks.list_all,
    "ListTags": tags.list_tags,
    "StartNotebookInstance": notebooks.start,
    "StopNotebookInstance": notebooks.stop,
    "UpdateCodeRepository": code_repositories.update,
    "UpdateNotebookInstance": notebooks.update,
    "UpdateNotebookInstanceLifecycleConfig": lifecycle_configs.update,
}


class SagemakerProvider:
    service = "sagemaker"


@aws_provider()  # type: ignore[untyped-decorator]
def sagemaker() -> Service:
    """LocalStack finds it by its entry point, `sagemaker:default` in `localstack.aws.provider`."""
    return Service.for_provider(SagemakerProvider(), dispatch_table_factory=_dispatch_table)


def _dispatch_table(_: Any) -> dict[str, Any]:
    return {name: partial(_checked, operation) for name, operation in OPERATIONS.items()}


def _checked(operation: Operation, context: RequestContext, _: Any) -> dict[str, Any]:
    """Reads the request from its JSON: LocalStack's parser lets text pass for a number."""
    assert context.operation is not None
    try:
        body = json.loads(context.request.data or b"{}")
    except ValueError:  # LocalStack's parser knows CBOR too
        raise SerializationError("The request's body is not JSON") from None
    return operation(context, read(context.operation.input_shape, body))
