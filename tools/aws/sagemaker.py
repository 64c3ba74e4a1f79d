"""SageMaker's notebook instances: listed, described, started, stopped and opened.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListNotebookInstances.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tools.aws.client import Cloud, RequestError

NOTEBOOK_TYPE = "aws_sagemaker_notebook_instance"  # as Terraform calls an instance
# The most items that AWS puts into one page:
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListNotebookInstances.html
_PAGE = 100
_DESCRIBE = ("sagemaker", "describe_notebook_instance")


@dataclass(frozen=True)
class Instance:
    """A notebook instance as a listing describes it.

    `modified` is when it last changed, `lifecycle` the name of its lifecycle configuration,
    `repositories` its Git repositories, the default one first, `created` when it was made.
    """

    name: str
    arn: str
    status: str
    instance_type: str
    modified: datetime
    url: str = ""
    lifecycle: str | None = None
    repositories: tuple[str, ...] = ()
    created: datetime | None = None

    @property
    def account(self) -> str:
        """The 12-digit account that has it."""
        return self.arn.split(":")[4]


def list_instances(cloud: Cloud) -> dict[str, Instance]:
    """Every notebook instance of the account in `cloud`, by name: a request for each hundred.

    Raises UserError if AWS cannot be asked, or throttles more often than a client repeats.
    """
    answers = cloud.items(
        "list the notebook instances",
        "sagemaker",
        "list_notebook_instances",
        "NotebookInstances",
        PaginationConfig={"PageSize": _PAGE},
    )
    return {instance.name: instance for instance in map(_instance, answers)}


def find(cloud: Cloud, name: str) -> Instance | None:
    """The instance called `name`, or None if it does not exist."""
    answer = cloud.find(f"describe {name}", *_DESCRIBE, NotebookInstanceName=name)
    return _instance(answer) if answer else None


def read_failure_reason(cloud: Cloud, name: str) -> str:
    """Why an instance has failed, which no listing says."""
    answer = cloud.call(f"describe {name}", *_DESCRIBE, NotebookInstanceName=name)
    return str(answer.get("FailureReason") or "AWS gives no reason")


def read_platform(cloud: Cloud, name: str) -> str:
    """The platform of an instance, such as notebook-al2023-v1, which no listing says."""
    answer = cloud.call(f"describe {name}", *_DESCRIBE, NotebookInstanceName=name)
    return str(answer.get("PlatformIdentifier") or "")


def start(cloud: Cloud, name: str) -> None:
    """Requests the start of an instance. Raises UserError if AWS refuses."""
    what, operation = f"start {name}", "start_notebook_instance"
    cloud.call(what, "sagemaker", operation, NotebookInstanceName=name)


def change_type(cloud: Cloud, name: str, instance_type: str) -> None:
    """Requests another type for an instance that does not run. Raises UserError if AWS refuses.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateNotebookInstance.html
    """
    what, operation = f"give {name} the type {instance_type}", "update_notebook_instance"
    arguments = {"NotebookInstanceName": name, "InstanceType": instance_type}
    cloud.call(what, "sagemaker", operation, **arguments)


def stop(cloud: Cloud, name: str) -> None:
    """Requests the stop of an instance. Raises UserError if AWS refuses."""
    what, operation = f"stop {name}", "stop_notebook_instance"
    cloud.call(what, "sagemaker", operation, NotebookInstanceName=name)


def create_presigned_url(cloud: Cloud, name: str, session_seconds: int) -> str:
    """A URL that signs in whoever opens it, for `session_seconds` (1800 to 43200).

    Raises UserError if the instance does not run.
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreatePresignedNotebookInstanceUrl.html
    """
    answer = cloud.call(
        f"open {name}",
        "sagemaker",
        "create_presigned_notebook_instance_url",
        NotebookInstanceName=name,
        SessionExpirationDurationInSeconds=session_seconds,
    )
    return str(answer["AuthorizedUrl"])


def read_tags_of_project(cloud: Cloud, project: str) -> Mapping[str, Mapping[str, str]] | None:
    """Returns the tags of each instance with the tag Project, by ARN; None if AWS refuses.

    A request for each hundred, to an API that many who may list notebooks may not use.
    https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
    """
    resources = cloud.items(
        "list the project's tags",
        "resourcegroupstaggingapi",
        "get_resources",
        "ResourceTagMappingList",
        ResourceTypeFilters=["sagemaker:notebook-instance"],
        TagFilters=[{"Key": "Project", "Values": [project]}],
        ResourcesPerPage=_PAGE,
    )
    try:
        return {
            resource["ResourceARN"]: {tag["Key"]: tag["Value"] for tag in resource["Tags"]}
            for resource in resources
        }
    except RequestError as error:
        if "AccessDenied" in error.code:
            return None
        raise


def _instance(answer: Mapping[str, Any]) -> Instance:
    default = answer.get("DefaultCodeRepository")
    return Instance(
        name=answer["NotebookInstanceName"],
        arn=answer["NotebookInstanceArn"],
        status=answer["NotebookInstanceStatus"],
        instance_type=answer["InstanceType"],
        modified=answer["LastModifiedTime"].astimezone(UTC),  # botocore gives local time
        url=answer.get("Url") or "",
        lifecycle=answer.get("NotebookInstanceLifecycleConfigName"),
        repositories=(
            *([default] if default else []),
            *answer.get("AdditionalCodeRepositories", []),
        ),
        created=answer.get("CreationTime"),
    )
