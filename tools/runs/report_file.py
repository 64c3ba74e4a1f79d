"""What became of each stack, as a file for other programs: JSON, JUnit or Markdown."""

import json
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from tools.engine.apply import COUNTED
from tools.engine.plans import Plan
from tools.engine.run import Result
from tools.errors import UserError
from tools.system import files


def result_of_plan(plan: Plan) -> Result:
    """Returns a plan as a result: its changes, or those that were made outside of Terraform."""
    counts = Counter(change.action for change in plan.changes or plan.outside)
    changes = {
        "add": counts["create"] + counts["replace"],
        "change": counts["update"],
        "remove": counts["destroy"] + counts["replace"],
    }
    losses = tuple(map(str, plan.losses))
    return Result(plan.stack, plan.status, plan.seconds, plan.detail, changes, losses)


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
    files.write(path, _as_utf8(_WRITERS[path.suffix](results, command)))


def read(path: Path) -> tuple[str, list[Result]]:
    """Returns the command of a JSON report and its results.

    Raises UserError if `path` is no such report.
    """
    try:
        document = json.loads(path.read_text())
        return str(document["command"]), [
            Result(
                row["stack"],
                row["outcome"],
                row["seconds"],
                row["detail"],
                dict(row["changes"]),
                tuple(row.get("losses", ())),
            )
            for row in document["stacks"]
        ]
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(
            f"{path} is no JSON report; write one: tools deploy --report {path.stem}.json"
        ) from None


def merge(paths: Iterable[Path]) -> tuple[str, list[Result]]:
    """Returns the command and the results of several JSON reports, in their order, as one.

    Of a stack that is in more than one the last counts. Raises UserError if one is no report, or
    if they are of different commands.
    """
    command, results_by_stack = "", dict[str, Result]()
    for path in paths:
        its_command, its_results = read(path)
        if command and its_command != command:
            raise UserError(f"{path} is of tools {its_command}, the others of tools {command}")
        command = its_command
        for result in its_results:
            results_by_stack.pop(result.stack, None)  # so that it stands where it was last
            results_by_stack[result.stack] = result
    return command, list(results_by_stack.values())


def _json(results: Sequence[Result], command: str) -> str:
    """The report that docs/report.schema.json describes."""
    document = {
        "command": command,
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "failed": any(result.is_unfinished for result in results),
        "stacks": [
            {
                "stack": result.stack,
                "outcome": result.outcome,
                "seconds": round(result.seconds, 1),
                "detail": result.detail,
                "changes": {name: result.changes.get(name, 0) for name in COUNTED},
                "losses": list(result.losses),
            }
            for result in results
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def _junit(results: Sequence[Result], command: str) -> str:
    from junitparser import Failure, JUnitXml, Skipped, TestCase, TestSuite

    suite = TestSuite(f"tools {command}")
    for result in results:
        name, detail = _as_utf8(result.stack), _as_utf8(result.detail)
        case = TestCase(name, classname=result.outcome, time=round(result.seconds, 1))
        if result.outcome == "failed":
            case.result = [Failure(detail)]
        elif result.outcome in ("interrupted", "not run", "waiting"):
            case.result = [Skipped(detail)]
        suite.add_testcase(case)
    report = JUnitXml()
    report.add_testsuite(suite)
    xml: bytes = report.tostring()  # type: ignore[no-untyped-call]
    return xml.decode()


def markdown(results: Sequence[Result], command: str) -> str:
    """Returns a table of results, such as for the comment of a pull request."""
    lines = [
        f"### tools {command}",
        "",
        "| stack | outcome | add | change | destroy | seconds | |",
        "|---|---|---:|---:|---:|---:|---|",
    ]
    for result in results:
        changes = " | ".join(str(result.changes.get(name, 0) or "") for name in COUNTED)
        loss = f"🔴 **loses data: {', '.join(result.losses)}**" if result.losses else ""
        detail = " ".join(filter(None, (loss, result.detail))).replace("|", "\\|")
        detail = detail.replace("\n", " ")
        lines.append(
            f"| {result.stack} | {result.outcome} | {changes} | {result.seconds:.0f} | {detail} |"
        )
    return "\n".join(lines) + "\n"


def _as_utf8(text: str) -> str:
    """`text` with an escape for what is no UTF-8, as a file's name may be."""
    return text.encode(errors="backslashreplace").decode()


_WRITERS = {".json": _json, ".xml": _junit, ".md": markdown}
