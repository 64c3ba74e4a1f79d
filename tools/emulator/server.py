"""LocalStack as the child of `tools local up`: `python -m tools.emulator.server`.

Until its parent says on standard input that the start is complete, it lives no longer than the
parent: however that one ends, an emulator that nobody knows of is never left behind.
"""

import os
import sys
import threading


def main() -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from localstack.runtime.main import main as run_localstack

    run_localstack()  # type: ignore[no-untyped-call]


def _end_with_parent() -> None:
    if not os.read(sys.stdin.fileno(), 1):
        os._exit(1)


if __name__ == "__main__":
    main()
