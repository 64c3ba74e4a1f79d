"""A provider's version that is known to be bad is said once in a run."""

from dataclasses import replace
from threading import Thread

from tests.unit.engine.conftest import Bench
from tests.unit.engine.fake_terraform import Answer
from tools.engine.init import initialize
from tools.hcl.scanning import LOCK_FILE
from tools.layout.stack import Stack


def write_lock(stack: Stack, version: str) -> None:
    """The lock file of an init that has chosen this version of the AWS provider."""
    text = f'provider "registry.terraform.io/hashicorp/aws" {{\n  version = "{version}"\n}}\n'
    (stack.path / LOCK_FILE).write_text(text)


def initialize_with(chain: Bench, stack: Stack, version: str) -> None:
    """Initializes a stack that has this version installed: its init is current afterwards."""
    write_lock(stack, version)
    provider = f"registry.terraform.io/hashicorp/aws/{version}/linux_amd64"
    (stack.path / ".terraform/providers" / provider).mkdir(parents=True)
    initialize(chain.run(), stack)


def test_a_bad_version_is_said_once_in_a_run(chain: Bench) -> None:
    for stack in chain.stacks():
        write_lock(stack, "6.25.0")
    run = chain.run()
    for stack in chain.stacks():
        initialize(run, stack)
    assert [line for line in chain.told.lines if "warning: AWS provider 6.25.0" in line] == [
        chain.told.lines[0]
    ]
    assert "take 6.40 or later" in chain.told.lines[0]


def test_a_run_that_needs_no_init_says_it_too(chain: Bench) -> None:
    stack = chain.stack("notebooks/m")
    initialize_with(chain, stack, "6.39.0")
    told = len(chain.told.lines)
    initialize(chain.run(logs=chain.root / "logs" / "another"), stack)
    assert chain.terraform.calls.count("init notebooks/m") == 1
    assert "warning: AWS provider 6.39.0" in chain.told.lines[told]


def test_a_good_version_is_not_mentioned(chain: Bench) -> None:
    for stack in chain.stacks():
        write_lock(stack, "5.100.0")
        initialize(chain.run(), stack)
    assert not [line for line in chain.told.lines if "warning" in line]


def test_a_stack_that_needs_no_init_does_not_wait_for_anothers(chain: Bench) -> None:
    """Inits with a plugin cache follow each other, and a download takes minutes."""
    current = chain.stack("notebooks/m")
    initialize_with(chain, current, "6.25.0")
    env = {**chain.terraform.env, "TF_PLUGIN_CACHE_DIR": "cache"}
    run = replace(chain.run(), terraform=replace(chain.terraform, env=env))
    assert run.terraform.shares_plugin_cache
    waiting: list[bool] = []

    def during_the_init() -> None:
        other = Thread(target=initialize, args=(run, current), daemon=True)
        other.start()
        other.join(300)  # however busy the machine is
        waiting.append(other.is_alive())

    chain.terraform.will("init notebooks/n", Answer(meanwhile=during_the_init))
    initialize(run, chain.stack("notebooks/n"))
    assert waiting == [False]
