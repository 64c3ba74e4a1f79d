"""A provider's version that is known to be bad is said once in a run."""

from dataclasses import replace
from threading import Thread

from tests.unit.engine.conftest import Bench
from tests.unit.engine.fake_terraform import Answer
from tools.engine.init import initialize
from tools.hcl.scanning import LOCK_FILE


def test_a_bad_version_is_said_once_in_a_run(chain: Bench) -> None:
    for stack in chain.stacks():
        (stack.path / LOCK_FILE).write_text(
            'provider "registry.terraform.io/hashicorp/aws" {\n  version = "6.25.0"\n}\n'
        )
    run = chain.run()
    for stack in chain.stacks():
        initialize(run, stack)
    assert [line for line in chain.told.lines if "warning: AWS provider 6.25.0" in line] == [
        chain.told.lines[0]
    ]
    assert "take 6.40 or later" in chain.told.lines[0]


def test_a_run_that_needs_no_init_says_it_too(chain: Bench) -> None:
    stack = chain.stack("notebooks/m")
    (stack.path / LOCK_FILE).write_text(
        'provider "registry.terraform.io/hashicorp/aws" {\n  version = "6.39.0"\n}\n'
    )
    provider = "registry.terraform.io/hashicorp/aws/6.39.0/linux_amd64"
    (stack.path / ".terraform/providers" / provider).mkdir(parents=True)
    initialize(chain.run(), stack)
    told = len(chain.told.lines)
    initialize(chain.run(logs=chain.root / "logs" / "another"), stack)
    assert chain.terraform.calls.count("init notebooks/m") == 1
    assert "warning: AWS provider 6.39.0" in chain.told.lines[told]


def test_a_good_version_is_not_mentioned(chain: Bench) -> None:
    for stack in chain.stacks():
        (stack.path / LOCK_FILE).write_text(
            'provider "registry.terraform.io/hashicorp/aws" {\n  version = "5.100.0"\n}\n'
        )
        initialize(chain.run(), stack)
    assert not [line for line in chain.told.lines if "warning" in line]


def test_a_stack_that_needs_no_init_does_not_wait_for_anothers(chain: Bench) -> None:
    """Inits with a plugin cache follow each other, and a download takes minutes."""
    current = chain.stack("notebooks/m")
    (current.path / LOCK_FILE).write_text(
        'provider "registry.terraform.io/hashicorp/aws" {\n  version = "6.25.0"\n}\n'
    )
    provider = "registry.terraform.io/hashicorp/aws/6.25.0/linux_amd64"
    (current.path / ".terraform/providers" / provider).mkdir(parents=True)
    initialize(chain.run(), current)
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
