"""In which order pytest-xdist hands tests to its workers, and which of them stay together."""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

# The longest first, so that none is left to one worker at the end.
FIRST = (
    "tests/journey",
    "tests/imports/test_import.py",
    "tests/migration",
    "tests/remote_state/test_bootstrap.py",
    "tests/terraform/test_terraform_1_0.py",
    "tests/terraform/test_chain_s3.py",
    "tests/pipelines",
    "tests/iam",
    "tests/autostop",
    "tests/terraform",
    "tests/faults",
    "tests/imports",
    "tests/cli/test_secrets.py",
    "tests/cli/test_plan.py",
    "tests/cli/test_deploy.py",
    "tests/cli",
    "tests/remote_state",
    "tests/localcloud",
    "tests/report",
    "tests/emulator",
    "tests/fleet",
    "tests/aws",
    "tests/unit",
    "tests/documents",
    "tests/soundness",  # last, since a nightly run may have no time for all of it
)
# Folders whose tests stand on each other, in the order of their files.
TOGETHER = ("tests/journey",)
# Files whose tests share nothing that takes long to make, and so may run on any worker.
APART = (
    "tests/cli/test_deploy.py",
    "tests/cli/test_plan.py",
    "tests/faults/",
    "tests/localcloud/test_process.py",
    "tests/pipelines/test_github.py",
    "tests/remote_state/",
    "tests/soundness/",
)


class Scheduler(LoadScopeScheduling):
    """Hands out groups in the order of the tests.

    `--dist loadgroup` would be for that, and does nothing: it adds a test's group to its
    `_nodeid`, which pytest no longer reads from 9.2 on
    (https://github.com/pytest-dev/pytest-xdist/issues/1386).
    """

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduler:
    config.option.loadscopereorder = False
    return Scheduler(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sorts the tests by FIRST; those of a file stay in their order."""
    items.sort(key=lambda item: _rank(item.nodeid))


def group_of(nodeid: str) -> str:
    """What stays on one worker with a test: its file, unless APART or TOGETHER says otherwise."""
    if nodeid.startswith(APART):
        return nodeid
    folders = (folder for folder in TOGETHER if nodeid.startswith(folder))
    return next(folders, nodeid.partition("::")[0])


def _rank(nodeid: str) -> int:
    ranks = (rank for rank, start in enumerate(FIRST) if nodeid.startswith(start))
    return next(ranks, len(FIRST))
