"""What an account has in a region, and the clock that moves its notebook instances on."""

import logging
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from threading import RLock
from typing import Any

from localstack.aws.api import CommonServiceException, RequestContext
from localstack.services.stores import AccountRegionBundle, BaseStore

LOG = logging.getLogger(__name__)

TRANSITION_VARIABLE = "SAGEMAKER_TRANSITION_SECONDS"
DEFAULT_TRANSITION_SECONDS = 1.0

Tags = dict[str, str]


def now() -> datetime:
    """The time in whole milliseconds, the precision of an answer."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


@cache
def transition_time() -> timedelta:
    """How long a notebook instance stays in a passing status."""
    text = os.environ.get(TRANSITION_VARIABLE, "")
    try:
        return timedelta(seconds=float(text or DEFAULT_TRANSITION_SECONDS))
    except (ValueError, OverflowError):
        LOG.error("%s=%s is not a number of seconds; it is ignored", TRANSITION_VARIABLE, text)
        return timedelta(seconds=DEFAULT_TRANSITION_SECONDS)


@dataclass
class StoredResource:
    """A named thing with tags. `settings` are the members of its requests, by AWS's names."""

    name: str
    arn: str
    settings: dict[str, Any]
    tags: Tags
    created: datetime = field(default_factory=now)
    modified: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.modified = self.created

    def times(self) -> dict[str, datetime]:
        return {"CreationTime": self.created, "LastModifiedTime": self.modified}


@dataclass
class NotebookInstance(StoredResource):
    """An instance whose passing status turns into `_next` when its time has come.

    Nothing runs in between: whoever reads the status gets what it is by then.
    """

    url: str = ""
    network_interface: str | None = None
    failure: str | None = None
    _status: str = "Pending"
    _next: str | None = "InService"

    @property
    def status(self) -> str:
        """The status that AWS would show by now, or `Deleted`, which it shows nobody.

        https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeNotebookInstance.html
        """
        due = self.modified + transition_time()
        if self._next and now() >= due:
            self._status, self._next, self.modified = self._next, None, due
        return self._status

    def move(self, passing: str, then: str, failure: str | None = None) -> None:
        """Puts the instance into a passing status, after which it is `then`.

        `failure` is why it ends in Failed, if it does.
        """
        self._status, self._next, self.modified = passing, then, now()
        self.failure = failure


class Store(BaseStore):
    """Each is changed under `lock`. No call to another service is made while it is held:
    that service's answer could need a thread that waits for it."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.notebooks: dict[str, NotebookInstance] = {}
        self.lifecycle_configs: dict[str, StoredResource] = {}
        self.code_repositories: dict[str, StoredResource] = {}

    def forget_deleted(self) -> None:
        gone = [name for name, notebook in self.notebooks.items() if notebook.status == "Deleted"]
        for name in gone:
            del self.notebooks[name]


stores: AccountRegionBundle[Store] = AccountRegionBundle("sagemaker", Store)


def store_of(context: RequestContext) -> Store:
    """The store of the caller's account and region.

    Raises UnrecognizedClientException for a region that has no SageMaker.
    """
    try:
        store: Store = stores[context.account_id][context.region]
    except ValueError as error:
        raise CommonServiceException("UnrecognizedClientException", str(error)) from None
    return store


def arn(context: RequestContext, kind: str, name: str) -> str:
    return f"arn:{context.partition}:sagemaker:{context.region}:{context.account_id}:{kind}/{name}"
