"""The engine that decides: @cloud-copilot/iam-simulate, in a node process. For tests only."""

import json
from pathlib import Path
from typing import Any

from tests import npm

HERE = Path(__file__).parent


def install(scratch: Path) -> Path:
    """The engine in a folder of `scratch`, in its locked versions; raises where it cannot be."""
    return npm.install(HERE, scratch / "iam-engine")


def decide(engine: Path, question: dict[str, Any]) -> dict[str, Any]:
    """The answer of decide.mjs, which says what `question` is and what comes back."""
    answer: dict[str, Any] = json.loads(
        npm.run_script(engine, "decide.mjs", text=json.dumps(question))
    )
    return answer
