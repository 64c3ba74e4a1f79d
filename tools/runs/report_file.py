"""What became of each stack, as a file for other programs: JSON, JUnit or Markdown."""

import json
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tools.engine.plans import Plan
from tools.engine.run import Result
from tools.errors import UserError
from tools.system import files

BAD_OUTCOMES = ("failed", "interrupted", "not run")


def result_of_plan(plan: Plan) -> Result:
    """Returns a plan as a result: its changes, or those that were made outside of Terraform."""
    counts = Counter(change.action for change in plan.changes or plan.outside)
    changes = {
        "add": counts["create"] + counts["replace"],
        "change": counts["update"],
        "remove": counts["destroy"] + counts["replace"],
    }
    return Result(plan.stack, plan.status, plan.seconds, plan.detail, changes)


def check(path: Path) -> None:
    """Raises UserError if no report can be written to `path`: its ending, or its folder."""
    if path.suffix not in _WRITERS:
        raise UserError(f"--report {path}: the name must end in {', '.join(_WRITERS)}")
    if not path.absolute().parent.is_dir():
        raise UserError(f"--report {path}: the folder {path.absolute().parent} does not exist")


def write(path: Path, results: Sequence[Result], command: str) -> None:
    """Writes the results of `command` to `path`, in the format that its ending says.

    Raises UserError if it cannot be written.
    """
    files.write(path, _WRITERS[path.suffix](results, command))


def _json(results: Sequence[Result], command: str) -> str:
    """docs/report.schema.json describes it."""
    report = {
        "command": command,
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "failed": any(_is_bad(result) for result in results),
        "stacks": [
            {
                "stack": result.stack,
                "outcome": result.outcome,
                "seconds": round(result.seconds, 1),
                "detail": result.detail,
                "changes": {name: result.changes.get(name, 0) for name in _COUNTS},
            }
            for result in results
        ],
    }
    return json.dumps(report, indent=2) + "\n"


def _junit(results: Sequence[Result], command: str) -> str:
    from junitparser import Failure, JUnitXml, Skipped, TestCase, TestSuite

    suite = TestSuite(f"tools {command}")
    for result in results:
        case = TestCase(result.stack, classname=result.outcome, time=round(result.seconds, 1))
        if result.outcome == "failed":
            case.result = [Failure(result.detail)]
        elif result.outcome in ("interrupted", "not run", "waiting"):
            case.result = [Skipped(result.detail)]
        suite.add_testcase(case)
    report = JUnitXml()
    report.add_testsuite(suite)
    text: bytes = report.tostring()  # type: ignore[no-untyped-call]
    return text.decode()


def _markdown(results: Sequence[Result], command: str) -> str:
    lines = [
        f"### tools {command}",
        "",
        "| stack | outcome | add | change | destroy | seconds | |",
        "|---|---|---:|---:|---:|---:|---|",
    ]
    for result in results:
        counts = " | ".join(str(result.changes.get(name, 0) or "") for name in _COUNTS)
        detail = result.detail.replace("|", "\\|").replace("\n", " ")
        lines.append(
            f"| {result.stack} | {result.outcome} | {counts} | {result.seconds:.0f} | {detail} |"
        )
    return "\n".join(lines) + "\n"


def _is_bad(result: Result) -> bool:
    return result.outcome in BAD_OUTCOMES


_COUNTS = ("add", "change", "remove")
_WRITERS = {".json": _json, ".xml": _junit, ".md": _markdown}
