"""Instances on Amazon Linux 1 or 2, which AWS starts no more, and how to move them on.

https://docs.aws.amazon.com/sagemaker/latest/dg/nbi-al2.html
"""

import shlex
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import lru_cache

from tools.aws import sagemaker
from tools.aws.client import Cloud
from tools.aws.model import PLATFORM, is_retired_platform, is_retired_type
from tools.aws.sagemaker import Instance
from tools.errors import UserError

RETIRED = "Amazon Linux 2: AWS does not start it again"  # or 1
# Since then AWS creates none on a retired platform, so that a younger instance need not be asked.
_LAST_CREATED = datetime(2026, 7, 1, tzinfo=UTC)
# At once: a client keeps 10 connections, and a request beyond them makes one of its own
# (botocore 1.42, endpoint.py).
_REQUESTS = 8


def find_retired(cloud: Cloud, instances: Sequence[Instance]) -> Mapping[str, bool | None]:
    """Returns whether each instance, by name, is on a retired platform; None if AWS refuses to say.

    No listing says it: each instance that is old enough takes a request, once in a process unless
    it changes.
    """
    young = {i.name: False for i in instances if i.created and i.created >= _LAST_CREATED}
    others = [i for i in instances if i.name not in young]
    with ThreadPoolExecutor(_REQUESTS) as pool:
        answers = list(pool.map(lambda i: _is_retired(cloud, i.name, i.modified), others))
    return young | {i.name: answer for i, answer in zip(others, answers, strict=True)}


def _is_retired(cloud: Cloud, name: str, modified: datetime) -> bool | None:
    try:
        return is_retired_platform(_platform(cloud, name, modified))
    except UserError:  # the listing is worth showing all the same
        return None


@lru_cache(maxsize=1024)
def _platform(cloud: Cloud, name: str, modified: datetime) -> str:
    """The platform of an instance as it was `modified`; AWS's move to a newer one changes that."""
    return sagemaker.read_platform(cloud, name)


def describe_move(name: str, instance_type: str, region: str, status: str) -> str:
    """Returns what becomes of an instance on a retired platform, with the commands to move it.

    Each works in the `status` that the one before leaves: AWS stops only what is InService.
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StopNotebookInstance.html
    """
    options = f"--notebook-instance-name {shlex.quote(name)} --region {region}"
    other = " --instance-type TYPE" if is_retired_type(instance_type) else ""
    why = f" ({PLATFORM} does not run on {instance_type}: choose another TYPE)" if other else ""
    wait = f"aws sagemaker wait notebook-instance-stopped {options} && "
    stop = f"aws sagemaker stop-notebook-instance {options} && {wait}"
    is_down = status in ("Stopped", "Failed")
    first = "" if is_down else wait if status in ("Stopping", "Updating") else stop
    return (
        "it is on Amazon Linux 1 or 2, and AWS does not start it again"
        f"{'' if is_down else ' once it is stopped'}; to move it in place, with its volume{why}: "
        f"{first}"
        f"aws sagemaker update-notebook-instance {options} --platform-identifier {PLATFORM}{other}"
    )
