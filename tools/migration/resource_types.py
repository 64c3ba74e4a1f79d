"""The types of resources that a migration imports, and the shared stack for each."""

from tools.aws.sagemaker import NOTEBOOK_TYPE
from tools.layout.stack import ENDPOINTS, GROUPS, IAM, S3

BUCKET = "aws_s3_bucket"
ROLE = "aws_iam_role"
GROUP = "aws_security_group"
ENDPOINT = "aws_vpc_endpoint"
NOTEBOOK = NOTEBOOK_TYPE

STACKS = {BUCKET: S3, ROLE: IAM, GROUP: GROUPS, ENDPOINT: ENDPOINTS}
IMPORTABLE = frozenset({*STACKS, NOTEBOOK})  # a notebook gets a stack of its own
