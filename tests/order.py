"""In which order pytest-xdist hands tests to its workers, and which of them stay together."""

import pytest

# The longest first, so that none is left to one worker at the end.
FIRST = (
    "tests/cli/test_demo.py",
    "tests/migration/test_migrate.py",
    "tests/imports/test_import.py",
    "tests/remote_state/test_bootstrap.py",
    "tests/terraform/test_chain_s3.py",
    "tests/terraform/test_module_apply.py",
    "tests/iam/test_decisions.py",
    "tests/faults",
    "tests/terraform",
    "tests/autostop",
    "tests/cli/test_secrets.py",
    "tests/cli/test_plan.py",
    "tests/cli/test_deploy.py",
    "tests/remote_state",
    "tests/localcloud",
    "tests/cli",
)
# Files whose tests share nothing that takes long to make, and so may run on any worker.
APART = (
    "tests/cli/test_deploy.py",
    "tests/cli/test_plan.py",
    "tests/faults/",
    "tests/localcloud/test_process.py",
    "tests/remote_state/",
)


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sorts the tests by FIRST, and groups those of a file unless it is in APART."""
    items.sort(key=lambda item: _rank(item.nodeid))
    for item in items:
        if not item.nodeid.startswith(APART) and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))


def _rank(nodeid: str) -> int:
    ranks = (rank for rank, start in enumerate(FIRST) if nodeid.startswith(start))
    return next(ranks, len(FIRST))
