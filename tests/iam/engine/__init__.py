"""The engine that decides: @cloud-copilot/iam-simulate, in a node process. For tests only."""

import json
import shutil
from pathlib import Path
from typing import Any

from tests import npm

HERE = Path(__file__).parent


def install(scratch: Path) -> Path:
    """The engine in a folder of `scratch`, in its locked versions; raises where it cannot be."""
    target = npm.install(HERE, scratch, "iam-engine")
    shutil.copy(HERE / "decide.mjs", target)
    return target


def decide(engine: Path, question: dict[str, Any]) -> dict[str, Any]:
    """The answer of decide.mjs, which says what `question` is and what comes back."""
    answer: dict[str, Any] = json.loads(
        npm.run(npm.node, "decide.mjs", cwd=engine, text=json.dumps(question))
    )
    return answer
