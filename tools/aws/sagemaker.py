"""Notebook instances as AWS answers for them.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListNotebookInstances.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tools.aws.client import Cloud, asking, code
from tools.errors import UserError

_PAGE = 100  # the most that AWS puts into one


@dataclass(frozen=True)
class Instance:
    """What a listing says of a notebook instance.

    `lifecycle` is the name of its lifecycle configuration, `repositories` the Git repositories,
    the default one first.
    """

    name: str
    arn: str
    status: str
    instance_type: str
    modified: datetime
    url: str = ""
    lifecycle: str | None = None
    repositories: tuple[str, ...] = ()

    @property
    def account(self) -> str:
        return self.arn.split(":")[4]


def listed(cloud: Cloud) -> dict[str, Instance]:
    """Every notebook instance of the account in `cloud`, by name: a call for each hundred.

    Raises UserError where AWS cannot be asked or throttles beyond patience: half a list is none.
    """
    with asking(cloud, "list the notebook instances"):
        pages = cloud.client("sagemaker").get_paginator("list_notebook_instances")
        found = [
            _instance(answer)
            for page in pages.paginate(PaginationConfig={"PageSize": _PAGE})
            for answer in page["NotebookInstances"]
        ]
    return {instance.name: instance for instance in found}


def found(cloud: Cloud, name: str) -> Instance | None:
    """The instance called `name`; None where there is none."""
    try:
        answer = _described(cloud, name)
    except UserError as error:
        # SageMaker has no error of its own for this, and says it in the message alone.
        if "RecordNotFound" in str(error.__context__):
            return None
        raise
    return _instance(answer)


def failure(cloud: Cloud, name: str) -> str:
    """Why an instance has failed, which no listing says."""
    return str(_described(cloud, name).get("FailureReason") or "AWS gives no reason")


def _described(cloud: Cloud, name: str) -> Mapping[str, Any]:
    with asking(cloud, f"describe {name}"):
        answer: Mapping[str, Any] = cloud.client("sagemaker").describe_notebook_instance(
            NotebookInstanceName=name
        )
    return answer


def start(cloud: Cloud, name: str) -> None:
    """Asks for a start. Raises UserError where AWS refuses."""
    with asking(cloud, f"start {name}"):
        cloud.client("sagemaker").start_notebook_instance(NotebookInstanceName=name)


def stop(cloud: Cloud, name: str) -> None:
    """Asks for a stop. Raises UserError where AWS refuses."""
    with asking(cloud, f"stop {name}"):
        cloud.client("sagemaker").stop_notebook_instance(NotebookInstanceName=name)


def presigned_url(cloud: Cloud, name: str, session_seconds: int) -> str:
    """An address that signs whoever opens it in, for `session_seconds` (1800 to 43200).

    Raises UserError where the instance does not run.
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreatePresignedNotebookInstanceUrl.html
    """
    with asking(cloud, f"open {name}"):
        answer = cloud.client("sagemaker").create_presigned_notebook_instance_url(
            NotebookInstanceName=name, SessionExpirationDurationInSeconds=session_seconds
        )
    return str(answer["AuthorizedUrl"])


def tags_of_project(cloud: Cloud, project: str) -> Mapping[str, Mapping[str, str]] | None:
    """The tags of every notebook instance with the tag Project, by ARN; None where AWS refuses.

    A call for each hundred, of an API that many who may list notebooks may not use.
    https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
    """
    try:
        with asking(cloud, "list the project's tags"):
            pages = cloud.client("resourcegroupstaggingapi").get_paginator("get_resources")
            return {
                found["ResourceARN"]: {tag["Key"]: tag["Value"] for tag in found["Tags"]}
                for page in pages.paginate(
                    ResourceTypeFilters=["sagemaker:notebook-instance"],
                    TagFilters=[{"Key": "Project", "Values": [project]}],
                    ResourcesPerPage=_PAGE,
                )
                for found in page["ResourceTagMappingList"]
            }
    except UserError as error:
        if "AccessDenied" in code(error.__context__):
            return None
        raise


def _instance(answer: Mapping[str, Any]) -> Instance:
    default = answer.get("DefaultCodeRepository")
    return Instance(
        name=answer["NotebookInstanceName"],
        arn=answer["NotebookInstanceArn"],
        status=answer["NotebookInstanceStatus"],
        instance_type=answer["InstanceType"],
        modified=answer["LastModifiedTime"],
        url=answer.get("Url") or "",
        lifecycle=answer.get("NotebookInstanceLifecycleConfigName"),
        repositories=(
            *([default] if default else []),
            *answer.get("AdditionalCodeRepositories", []),
        ),
    )
