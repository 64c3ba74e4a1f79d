"""What became of each stack, as a file for other programs: JSON, JUnit or Markdown."""

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tools.engine.plans import Plan
from tools.errors import UserError


class Row(Protocol):
    """A stack's part of a report; tools.deploy.Result is one."""

    @property
    def stack(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def seconds(self) -> float: ...
    @property
    def detail(self) -> str: ...
    @property
    def changes(self) -> Mapping[str, int]: ...


@dataclass(frozen=True)
class Planned:
    """A plan as a row of a report."""

    stack: str
    outcome: str
    seconds: float
    detail: str
    changes: Mapping[str, int] = field(default_factory=dict)


def of_plan(plan: Plan) -> Planned:
    """The row of a plan: its changes, or those that were made outside of Terraform."""
    counts = Counter(change.action for change in plan.changes or plan.outside)
    changes = {
        "add": counts["create"] + counts["replace"],
        "change": counts["update"],
        "remove": counts["destroy"] + counts["replace"],
    }
    return Planned(plan.stack, plan.status, plan.seconds, plan.detail, changes)


def check(path: Path) -> None:
    """Raises UserError, before anything is run, where `path` cannot become a report."""
    if path.suffix not in _WRITERS:
        raise UserError(f"--report {path}: name a file that ends in {', '.join(_WRITERS)}")
    if not path.absolute().parent.is_dir():
        raise UserError(f"--report {path}: there is no folder {path.absolute().parent}")


def write(path: Path, rows: Sequence[Row], command: str) -> None:
    """Writes a report of `command`, in the format that the name of `path` ends in.

    Raises UserError where it cannot be written.
    """
    check(path)
    try:
        path.write_text(_WRITERS[path.suffix](rows, command))
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from None


def _json(rows: Sequence[Row], command: str) -> str:
    """docs/report.schema.json describes it."""
    report = {
        "command": command,
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "failed": any(_is_bad(row) for row in rows),
        "stacks": [
            {
                "stack": row.stack,
                "outcome": row.outcome,
                "seconds": round(row.seconds, 1),
                "detail": row.detail,
                "changes": {name: row.changes.get(name, 0) for name in _COUNTS},
            }
            for row in rows
        ],
    }
    return json.dumps(report, indent=2) + "\n"


def _junit(rows: Sequence[Row], command: str) -> str:
    from junitparser import Failure, JUnitXml, Skipped, TestCase, TestSuite

    suite = TestSuite(f"tools {command}")
    for row in rows:
        case = TestCase(row.stack, classname=row.outcome, time=round(row.seconds, 1))
        if row.outcome == "failed":
            case.result = [Failure(row.detail)]
        elif row.outcome in ("not run", "waiting"):
            case.result = [Skipped(row.detail)]
        suite.add_testcase(case)
    report = JUnitXml()
    report.add_testsuite(suite)
    text: bytes = report.tostring()  # type: ignore[no-untyped-call]
    return text.decode()


def _markdown(rows: Sequence[Row], command: str) -> str:
    lines = [
        f"### tools {command}",
        "",
        "| stack | outcome | add | change | destroy | seconds | |",
        "|---|---|---:|---:|---:|---:|---|",
    ]
    for row in rows:
        counts = " | ".join(str(row.changes.get(name, 0) or "") for name in _COUNTS)
        detail = row.detail.replace("|", "\\|").replace("\n", " ")
        lines.append(f"| {row.stack} | {row.outcome} | {counts} | {row.seconds:.0f} | {detail} |")
    return "\n".join(lines) + "\n"


def _is_bad(row: Row) -> bool:
    return row.outcome in ("failed", "not run")


_COUNTS = ("add", "change", "remove")
_WRITERS = {".json": _json, ".xml": _junit, ".md": _markdown}
