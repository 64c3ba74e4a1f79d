"""Terraform's errors and warnings, from its JSON and from its text."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tools.errors import UserError


@dataclass(frozen=True)
class Diagnostic:
    """One error of Terraform's. `file` is relative to the stack, `code` the line it points at."""

    summary: str
    detail: str = ""
    address: str = ""
    file: str = ""
    line: int = 0
    code: str = ""

    @classmethod
    def from_json(cls, diagnostic: Mapping[str, Any]) -> "Diagnostic":
        """From the JSON of Terraform's machine-readable UI."""
        place = diagnostic.get("range") or {}
        return cls(
            diagnostic["summary"],
            " ".join(diagnostic.get("detail", "").split()),
            diagnostic.get("address", ""),
            place.get("filename", ""),
            place.get("start", {}).get("line", 0),
            (diagnostic.get("snippet") or {}).get("code", "").strip(),
        )

    def text(self) -> str:
        """One line: where, what and why."""
        where = f"{self.file}, line {self.line}: " if self.file else ""
        return f"{where}{self.summary}{': ' if self.detail else ''}{self.detail}"


class TerraformError(UserError):
    """Terraform ended in an error; `diagnostics` are its errors, at least one."""

    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        super().__init__("; ".join(diagnostic.text() for diagnostic in diagnostics))
        self.diagnostics = diagnostics


_PLACE = re.compile(
    r"on (?P<file>\S+) line (?P<line>\d+)(?:, in .*)?:\n(?P<code>(?:\s+\d+: .*\n)*)"
)


def parse_diagnostics(output: str, severity: str = "Error") -> list[Diagnostic]:
    """Those of one `severity` (Error, Warning) in Terraform's text output, in its order."""
    # `terraform state push` takes no -no-color, and colours what no terminal shows.
    plain = re.sub(r"\x1b\[[0-9;]*m", "", output)
    plain = re.sub(r"^[│╷╵] ?", "", plain, flags=re.MULTILINE)
    blocks = re.split(r"^(?=(?:Error|Warning): )", plain, flags=re.MULTILINE)
    return [_parsed(block) for block in blocks if block.startswith(f"{severity}: ")]


def first_error(output: str) -> Diagnostic:
    """The first error in Terraform's text output, or the end of the output where it has none."""
    found = parse_diagnostics(output)
    return found[0] if found else Diagnostic(" ".join(output.split())[-300:])


def _parsed(block: str) -> Diagnostic:
    first, _, rest = block.partition("\n")
    summary = first.split(": ", 1)[1].strip()
    if "Failed to query available provider packages" in summary:
        return Diagnostic(
            "no provider: the registry is out of reach and no mirror was found",
            "put one under a folder that Terraform searches, or in /opt, /usr/local, /usr/share or "
            "/srv: https://developer.hashicorp.com/terraform/cli/commands/providers/mirror",
        )
    with_ = re.match(r"\s*with (?P<address>\S.*),\n", rest)
    rest = rest[with_.end() :] if with_ else rest
    place = _PLACE.match(rest.lstrip())
    rest = rest.lstrip()[place.end() :] if place else rest
    code = re.sub(r"^\s*\d+: ", "", place["code"]).strip() if place else ""
    return Diagnostic(
        summary,
        " ".join(rest.split())[:600],
        with_["address"] if with_ else "",
        place["file"] if place else "",
        int(place["line"]) if place else 0,
        code,
    )
