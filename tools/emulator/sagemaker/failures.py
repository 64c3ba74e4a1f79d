"""Starts that fail because a test wants them to: no machine runs here that could.

An instance with the tag `emulator:start` fails when it is created or started, as the tag's value
says: `capacity`, `quota` or `script`. With an instance type after it (`capacity ml.p3.2xlarge`), it
fails while it is of that type. The tag is read at each start.
"""

from collections.abc import Mapping
from typing import Any

from localstack.aws.api import CommonServiceException

TAG = "emulator:start"

# As AWS was seen to word them, for status Failed:
# https://github.com/aws/amazon-sagemaker-examples/issues/207
# https://github.com/aws-samples/amazon-sagemaker-optuna-hpo-blog/issues/4
_REASONS = {
    "capacity": (
        "Insufficient notebook instance capacity. Retry later or with a different instance type."
    ),
    "script": (
        "Notebook Instance Lifecycle Config for Notebook Instance '{arn}' took longer than 5 "
        "minutes. Please check your CloudWatch logs for more details if your Notebook Instance "
        "has Internet access."
    ),
}


def refuse(tags: Mapping[str, str], settings: Mapping[str, Any]) -> None:
    """Raises ResourceLimitExceeded if the account is to have no quota for this instance.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StartNotebookInstance.html
    """
    if _kind(tags, settings) == "quota":
        raise CommonServiceException(
            "ResourceLimitExceeded",
            f"The account-level service limit '{settings['InstanceType']} for notebook instance "
            "usage' is 0 Instances, with current utilization of 0 Instances and a request delta of "
            "1 Instances.",
        )


def reason(tags: Mapping[str, str], settings: Mapping[str, Any], arn: str) -> str | None:
    """Why the start that begins now is to end in Failed, or None."""
    text = _REASONS.get(_kind(tags, settings))
    return text.format(arn=arn) if text else None


def _kind(tags: Mapping[str, str], settings: Mapping[str, Any]) -> str:
    kind, _, instance_type = tags.get(TAG, "").partition(" ")
    return kind if instance_type in ("", settings["InstanceType"]) else ""
