"""What the tests' roles are made with."""

from typing import Any

TRUST: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Action": "sts:AssumeRole",
    },
}
"""The trust policy that SageMaker asks of a role."""
