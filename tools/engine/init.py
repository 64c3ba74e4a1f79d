"""Runs `terraform init` where something that it reads has changed."""

import re
import threading
from collections.abc import Callable
from contextlib import nullcontext

from tools.engine import init_cache
from tools.engine.events import warnings_to
from tools.engine.retry import T
from tools.engine.run import Run
from tools.layout.stack import Stack
from tools.terraform.diagnostics import TerraformError

_INIT_LOCK = threading.Lock()
_NEEDS_INIT = re.compile(r"terraform init|tofu init|Required plugins are not installed")


def with_init(run: Run, stack: Stack, once: Callable[[], T]) -> T:
    """What `once` returns; called again after an init where Terraform says that it wants one."""
    try:
        return once()
    except TerraformError as error:
        if not any(_NEEDS_INIT.search(d.text()) for d in error.diagnostics):
            raise
        init_cache.forget(stack.path)
        initialize(run, stack)
        return once()


def initialize(run: Run, stack: Stack) -> None:
    """`terraform init`, where something that it reads has changed."""
    files = run.records.terraform_files(stack)
    if not run.force and init_cache.is_current(stack.path, files, run.terraform):
        return
    run.progress.step(stack.name, "terraform init")
    init_cache.forget(stack.path)
    init_cache.drop_half_written(stack.path)
    warn = warnings_to(run, stack)
    with _INIT_LOCK if run.terraform.shares_plugin_cache else nullcontext():
        run.terraform.init(stack.path, run.log(stack, "init"), run.interruption, warn)
    init_cache.note(stack.path, files, run.terraform)
