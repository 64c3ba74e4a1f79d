"""LocalStack as the child of `tools local up`: `python -m tools.emulator.server`.

Until its parent says on standard input that the start is complete, it lives no longer than the
parent: however that one ends, an emulator that nobody knows of is never left behind.
"""

import os
import sys
import threading

from . import models


def main() -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _leave_out_a_slow_import()
    models.parse_once()
    from localstack.runtime.main import main as run_localstack

    run_localstack()  # type: ignore[no-untyped-call]


def _leave_out_a_slow_import() -> None:
    """Hides rfc3987_syntax, whose import takes a third of LocalStack's start where it is installed.

    It makes a parser of IRIs, for which LocalStack has no use. jsonschema, which LocalStack gets by
    openapi-core, does without where it is missing (jsonschema 4.26, jsonschema/_format.py).
    """
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]


def _end_with_parent() -> None:
    if not os.read(sys.stdin.fileno(), 1):
        os._exit(1)


if __name__ == "__main__":
    main()
