"""Runs `terraform init` if something that it reads has changed."""

import re
import threading
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

from tools.engine import init_cache
from tools.engine.events import report_warnings
from tools.engine.retry import T
from tools.engine.run import Run
from tools.hcl.scanning import locked_versions
from tools.layout.stack import Stack
from tools.terraform.diagnostics import TerraformError
from tools.terraform.providers import known_bad

_INIT_LOCK = threading.Lock()
_WARNED: set[tuple[Path, str]] = set()  # the runs (their logs) with the versions
_WARNED_LOCK = threading.Lock()  # one of its own: an init of another stack may take minutes
# Words of the errors that an init cures: a backend, module or provider that is not installed yet.
# https://developer.hashicorp.com/terraform/cli/init
_NEEDS_INIT = re.compile(r"terraform init|tofu init|Required plugins are not installed")


def initialize(run: Run, stack: Stack) -> None:
    """Runs `terraform init` if something that it reads has changed since the last one.

    Raises TerraformError if it fails.
    """
    files = run.records.terraform_files(stack)
    if not run.force and init_cache.is_current(stack.path, files, run.terraform):
        _warn_of_provider(run, stack)
        return
    run.progress.step(stack.name, f"{run.terraform.program} init")
    init_cache.forget(stack.path)
    init_cache.drop_half_written(stack.path)
    lock = _INIT_LOCK if run.terraform.shares_plugin_cache else nullcontext()
    with lock, report_warnings(run.progress, stack) as on_event:
        run.terraform.init(stack.path, run.log(stack, "init"), run.interruption, on_event)
    init_cache.note(stack.path, files, run.terraform)
    _warn_of_provider(run, stack)


def _warn_of_provider(run: Run, stack: Stack) -> None:
    """Says once in a run that a provider's version is known to be bad."""
    for address, version in locked_versions(stack.path).items():
        problem = known_bad(address, version)
        if not problem:
            continue
        with _WARNED_LOCK:
            is_new = (run.logs, version) not in _WARNED
            _WARNED.add((run.logs, version))
        if is_new:
            run.progress.warn(stack.name, problem)


def retry_after_init(run: Run, stack: Stack, attempt: Callable[[], T]) -> T:
    """Returns what `attempt` returns; calls it again after an init if Terraform asks for one.

    Raises TerraformError if the attempt, the init or the second attempt fails.
    """
    try:
        return attempt()
    except TerraformError as error:
        if not any(_NEEDS_INIT.search(d.text()) for d in error.diagnostics):
            raise
        init_cache.forget(stack.path)
        initialize(run, stack)
        return attempt()
