"""One LocalStack for the whole test session, however many workers it has."""

import fcntl
import gc
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from hypothesis import HealthCheck, settings

from tests import warm
from tests.children import end_all, mark
from tests.keeper import kept
from tests.order import pytest_collection_modifyitems, pytest_xdist_make_scheduler
from tests.trees import REPOSITORY
from tools import SCRATCH
from tools.aws.client import shared_client
from tools.console import terminal
from tools.localcloud.client import REGION, environment, variables_to_unset
from tools.localcloud.process import REQUESTS_VARIABLE, TRANSITION_VARIABLE, LocalCloud, Running
from tools.terraform.binary import Terraform

__all__ = ["pytest_collection_modifyitems", "pytest_xdist_make_scheduler"]

SECONDS_OF_A_TRANSITION = "0.2"
REQUESTS = "requests.jsonl"  # what the emulator was asked, in its folder

# However busy the machine is.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

_DIRECTORY = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """The controller of pytest-xdist chooses a folder; its workers are told it."""
    for name in variables_to_unset(os.environ):
        del os.environ[name]  # no test reaches a real account
    for name in ("COLUMNS", "FORCE_COLOR", "NO_COLOR"):
        os.environ.pop(name, None)  # what tables and colours go by; pytest-xdist's workers have one
    told = getattr(config, "workerinput", None)
    config.stash[_DIRECTORY] = Path(
        told["local_cloud_directory"] if told else tempfile.mkdtemp(prefix="local-cloud-")
    )
    # The prices that somebody has fetched for themselves are none of a test's.
    os.environ["XDG_CACHE_HOME"] = str(config.stash[_DIRECTORY] / "cache")
    mark(str(config.stash[_DIRECTORY]))


def pytest_collection_finish() -> None:
    """Spares Python's garbage collector what was imported, which stays: it takes a tenth of all."""
    gc.collect()
    gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leaves nightly tests out when .ci/run has no time left; the closing line counts them."""
    until = os.environ.get("NIGHTLY_UNTIL")
    if until and item.get_closest_marker("nightly") and time.time() > float(until):
        pytest.skip("no time is left in this run; make nightly runs it")


@pytest.fixture(autouse=True)
def _fresh_clients() -> None:
    """A test may change AWS's settings, which a client reads once."""
    shared_client.cache_clear()


@pytest.fixture(autouse=True)
def _no_wish() -> None:
    """A command that a test runs in this process may have had -q or -v."""
    terminal.wish.quiet = terminal.wish.verbose = False


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["local_cloud_directory"] = str(node.config.stash[_DIRECTORY])


def pytest_unconfigure(config: pytest.Config) -> None:
    warm.end()
    if not hasattr(config, "workerinput") and _DIRECTORY in config.stash:
        LocalCloud(config.stash[_DIRECTORY]).down()
        end_all(str(config.stash[_DIRECTORY]))
        shutil.rmtree(config.stash[_DIRECTORY])


@pytest.fixture(scope="session")
def local_cloud(pytestconfig: pytest.Config) -> Running:
    """The emulator that the whole session shares: give resources names of your own.

    Its notebook instances are quicker than by default.
    """
    os.environ[TRANSITION_VARIABLE] = SECONDS_OF_A_TRANSITION
    directory = pytestconfig.stash[_DIRECTORY]
    os.environ[REQUESTS_VARIABLE] = str(directory / REQUESTS)
    cloud = LocalCloud(directory)
    # The worker that starts it chooses the port: chosen earlier, another socket may have taken it.
    with (directory / "start.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # However busy the machine is.
        return cloud.status() or cloud.up(port=free_port(), timeout=600)


@pytest.fixture(scope="session")
def terraform() -> Terraform:
    """Terraform with the AWS provider at hand: downloaded once at most, where git ignores it."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("TF_VAR_")}
    scratch = REPOSITORY / SCRATCH
    return Terraform.find(env, scratch).with_provider_downloaded(scratch)


@pytest.fixture(scope="session")
def kept_terraform(terraform: Terraform) -> Iterator[Terraform]:
    """The same with providers that keep running: `tests.keeper` says what that is not for."""
    with kept(terraform) as found:
        yield found


@pytest.fixture
def aws_env(local_cloud: Running) -> dict[str, str]:
    """The environment of a child process that shall reach the emulator."""
    return {**os.environ, **environment(local_cloud.endpoint)}


@pytest.fixture(scope="session")
def client(local_cloud: Running) -> Callable[..., Any]:
    """`client(service, region=..., account=..., checked=...)`: a boto3 client of the emulator.

    With `checked=False` boto3 sends what it would refuse itself. An `account` is 12 digits.
    """

    @cache
    def make(
        service: str, region: str = REGION, account: str = "test", checked: bool = True
    ) -> Any:
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=local_cloud.endpoint,
            aws_access_key_id=account,
            aws_secret_access_key="test",
            config=Config(
                parameter_validation=checked,
                retries={"total_max_attempts": 1},
                max_pool_connections=50,
            ),
        )

    return make


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
