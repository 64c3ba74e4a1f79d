"""What was asked of the emulator: a line of JSON for each request, in a file that a variable names.

Calls that LocalStack makes to itself are left out. A body is left out too, as of an object.
"""

import json
import os
import threading
from collections.abc import Mapping
from typing import Any

VARIABLE = "EMULATOR_REQUESTS_FILE"

_LOCK = threading.Lock()


def install() -> None:
    """Has LocalStack record each request, if a file is named for it; called as LocalStack starts.

    From a hook in `localstack.hooks.on_infra_start`.
    """
    if not os.environ.get(VARIABLE):
        return
    from localstack.aws import handlers

    after_each: Any = handlers.run_custom_response_handlers
    after_each.append(_record)


def _record(chain: Any, context: Any, response: Any) -> None:
    if context.operation is None or context.service is None or context.is_internal_call:
        return
    line = {
        "account": context.account_id,
        "region": context.region,
        "service": context.service.service_name,
        "operation": context.operation.name,
        "request": _plain(context.service_request or {}),
        "status": response.status_code,
    }
    text = json.dumps(line, sort_keys=True, default=str)
    with _LOCK, open(os.environ[VARIABLE], "a") as file:  # noqa: PTH123
        file.write(text + "\n")


def _plain(request: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in request.items() if name != "Body"}
