"""The tables of variables and outputs in the READMEs: `python -m tests.terraform.readme_tables`.

Rewrites them in the tree it lies in, between the marks of terraform-docs and as it would with
.terraform-docs.yml. The only user of python-hcl2 among the Terraform tests.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hcl2
from hcl2 import SerializationOptions

from tests.trees import REPOSITORY

COMMAND = "python -m tests.terraform.readme_tables"
# https://terraform-docs.io/user-guide/configuration/output/
BEGIN = "<!-- BEGIN_TF_DOCS -->"
END = "<!-- END_TF_DOCS -->"


def documented() -> list[Path]:
    """The READMEs that hold tables, each beside the Terraform that it describes."""
    found = [
        readme
        for folder in ("shared-infra", "modules")
        for readme in (REPOSITORY / folder).glob("*/README.md")
    ]
    bootstrap = REPOSITORY / "bootstrap"
    return sorted([*found, bootstrap / "README.md", bootstrap / "ci" / "README.md"])


def renewed(readme: Path) -> str:
    """The README's text with its tables as its directory's .tf files have them now.

    Raises ValueError where the README has no place for them.
    """
    before, begin, rest = readme.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{readme} lacks {BEGIN} or {END}")
    return f"{before}{BEGIN}\n{_tables(readme.parent)}{END}{after}"


def blocks(directory: Path, kind: str) -> dict[str, dict[str, Any]]:
    """The blocks of one kind (variable, output) in a directory's .tf files, by name, in order.

    Strings are without quotes, expressions within `${}`.
    """
    return {
        name: body
        for path in sorted(directory.glob("*.tf"))
        for block in parsed(path.read_text()).get(kind, [])
        for name, body in block.items()
    }


def parsed(text: str) -> dict[str, Any]:
    options = SerializationOptions(
        strip_string_quotes=True, explicit_blocks=False, with_comments=False
    )
    found: dict[str, Any] = hcl2.loads(text, serialization_options=options)
    return found


def _tables(directory: Path) -> str:
    variables = (
        (f"`{name}`", body["description"], f"`{_type(body)}`", _default(body))
        for name, body in blocks(directory, "variable").items()
    )
    outputs = (
        (f"`{name}`", body["description"]) for name, body in blocks(directory, "output").items()
    )
    return (
        "## Variables\n\n"
        + _table(("Name", "Description", "Type", "Default"), variables)
        + "\n## Outputs\n\n"
        + _table(("Name", "Description"), outputs)
    )


def _table(header: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    ruled = [header, tuple("---" for _ in header), *rows]
    # Markdown takes <project> for HTML, and shows nothing.
    return "".join(f"| {' | '.join(row)} |\n".replace("<", "&lt;") for row in ruled)


def _type(variable: dict[str, Any]) -> str:
    return re.sub(r"^\$\{(.*)\}$", r"\1", variable["type"])


def _default(variable: dict[str, Any]) -> str:
    if "default" not in variable:
        return "required"
    return f"`{json.dumps(variable['default'], sort_keys=True, ensure_ascii=False)}`"


if __name__ == "__main__":
    for path in documented():
        path.write_text(renewed(path))
