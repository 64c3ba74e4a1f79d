"""The errors that SageMaker's notebook operations answer with.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/CommonErrors.html
"""

from localstack.aws.api import CommonServiceException


class ValidationError(CommonServiceException):
    """A request that SageMaker understands and refuses: a bad value, a wrong state, no such name.

    SageMaker answers most of its failures so, a missing name among them, where other services
    have an error of their own.
    """

    def __init__(self, message: str) -> None:
        super().__init__("ValidationException", message)


class SerializationError(CommonServiceException):
    """A request of which SageMaker cannot make sense at all, such as text for a number."""

    def __init__(self, message: str) -> None:
        super().__init__("SerializationException", message)
