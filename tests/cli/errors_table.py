"""docs/errors.md, the error messages that say what to do: `python -m tests.cli.errors_table`.

Reads them from the code: what is given to a UserError or to click's errors, and what
tools/engine/explain.py makes of Terraform's errors.
"""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

from tests.trees import REPOSITORY

COMMAND = "python -m tests.cli.errors_table"
DOCUMENT = REPOSITORY / "docs" / "errors.md"
_RAISED = ("UserError", "UsageError", "BadParameter")
_EXPLAINED = "tools/engine/explain.py"
# A room's messages have one subject; the emulator's are for LocalStack.
_SUBJECTS = {
    "Credentials, regions, and what AWS answers": ("aws",),
    "Values, names and files of notebooks": ("scaffold", "roster"),
    "Options": ("commands", "cli.py", "console"),
    "What Terraform says": (_EXPLAINED,),
    "Plan, deploy and destroy": ("engine", "runs"),
    "Terraform and its providers": ("terraform",),
    "The repository's files": ("layout", "hcl"),
    "States, locks and backends": ("state", "remote_state"),
    "Status, start, stop, logs and access": ("fleet",),
    "Import and migrate": ("imports", "migration"),
    "Costs and the report": ("cost", "report"),
    "Pipelines": ("pipelines",),
    "The local cloud": ("localcloud", "context.py"),
    "This machine": ("system", "doctor"),
}
_HEAD = f"""\
# Error messages

Every error message of `tools` that says what to do, by its subject. "…" stands for what is named.
[Troubleshooting](troubleshooting.md) explains those that need more than a line.

<!-- Made by: {COMMAND} -->
"""


def renewed() -> str:
    """The document as the code is now. Raises ValueError for a room without a subject."""
    found: dict[str, set[tuple[str, str]]] = {subject: set() for subject in _SUBJECTS}
    for path in sorted((REPOSITORY / "tools").rglob("*.py")):
        name = path.relative_to(REPOSITORY).as_posix()
        if not name.startswith("tools/emulator/"):
            parts = map(_parts, messages(path))
            # Of a message that is put together elsewhere there is nothing to show.
            said = [(what, mend) for what, mend in parts if mend and re.search(r"\w", what + mend)]
            if said:
                found[_subject(name)].update(said)
    return _HEAD + "".join(
        f"\n## {subject}\n\n| Message | What to do |\n| --- | --- |\n"
        + "".join(f"| {_cell(what)} | {_cell(mend)} |\n" for what, mend in sorted(rows))
        for subject, rows in found.items()
        if rows
    )


def messages(path: Path) -> Iterator[str]:
    """The messages in a module, with … for what is only known at run time."""
    name = path.relative_to(REPOSITORY).with_suffix("").as_posix().replace("/", ".")
    explained = path == REPOSITORY / _EXPLAINED
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and node.args:
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            text = _text(node.args[0], name) if called in _RAISED else None
        elif explained and isinstance(node, ast.Return) and node.value:
            text = _text(node.value, name)
        else:
            text = None
        if text:
            yield text


def _text(node: ast.expr, module: str) -> str | None:
    """The text of a literal; None for any other expression."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            _placeholder(part.value, module)
            if isinstance(part, ast.FormattedValue)
            else str(part.value)
            for part in node.values
            if isinstance(part, ast.FormattedValue | ast.Constant)
        )
    return None


def _placeholder(node: ast.expr, module: str) -> str:
    if isinstance(node, ast.Attribute) and node.attr == "option":  # " --local", or nothing
        return ""
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "nearest":
        return "it names what comes near, or what there is"
    if isinstance(node, ast.Name) and node.id.strip("_").isupper():
        constant = getattr(importlib.import_module(module), node.id)
        return str(constant) if isinstance(constant, str) else "…"
    return "…"


def _parts(message: str) -> tuple[str, str]:
    """A message's two parts, the second of them what to do; empty if it does not say that."""
    cut = re.search(r"(?:; (?:to|if|or )?|\. (?=[A-Z])|: (?=tools |terraform |https))", message)
    if not cut:
        return message, ""
    return message[: cut.start()], message[cut.start() :].lstrip(";.: ")


def _subject(name: str) -> str:
    if name == _EXPLAINED:
        return "What Terraform says"
    room = name.split("/")[1]
    for subject, rooms in _SUBJECTS.items():
        if room in rooms:
            return subject
    raise ValueError(f"{name}: give its room a subject in {__name__}")


def _cell(text: str) -> str:
    if not re.search(r"\w", text):
        return "*the message says it*"
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


if __name__ == "__main__":
    DOCUMENT.write_text(renewed())
