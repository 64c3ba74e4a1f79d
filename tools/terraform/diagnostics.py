"""Terraform's errors and warnings, from its JSON and from its text."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.errors import UserError


@dataclass(frozen=True)
class Diagnostic:
    """An error or a warning of Terraform; `code` is the line of `file` that it is about."""

    summary: str
    detail: str = ""
    address: str = ""
    file: str = ""
    line: int = 0
    code: str = ""

    @classmethod
    def from_json(cls, diagnostic: Mapping[str, Any]) -> "Diagnostic":
        """Returns one from the JSON of Terraform's machine-readable UI.

        https://developer.hashicorp.com/terraform/internals/machine-readable-ui#diagnostic
        """
        source = diagnostic.get("range") or {}
        return cls(
            diagnostic["summary"],
            " ".join(diagnostic.get("detail", "").split()),
            diagnostic.get("address", ""),
            source.get("filename", ""),
            source.get("start", {}).get("line", 0),
            (diagnostic.get("snippet") or {}).get("code", "").strip(),
        )

    def text(self) -> str:
        """Returns it in one line: where, what and why."""
        where = f"{self.file}, line {self.line}: " if self.file else ""
        return f"{where}{self.summary}{': ' if self.detail else ''}{self.detail}"


class TerraformError(UserError):
    """Terraform has failed; `diagnostics` are its errors, at least one."""

    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        super().__init__("; ".join(diagnostic.text() for diagnostic in diagnostics))
        self.diagnostics = diagnostics


class NotAwaitedError(TerraformError):
    """A person has ended the wait for a Terraform that an earlier run left at work."""

    exit_code = 130  # as of Ctrl-C: 128 and the number of SIGINT


# The lines with which an error or a warning begins, or what comes after one: without colours
# Terraform draws no box around it, and its detail may have several paragraphs.
# https://github.com/hashicorp/terraform/blob/v1.11.4/internal/backend/local/backend_apply.go
# https://github.com/hashicorp/terraform/blob/v1.11.4/internal/command/views/apply.go
# https://github.com/hashicorp/terraform/blob/v1.11.4/internal/command/views/state_locker.go
_BEGINNING = re.compile(
    r"^(?=Error: |Warning: |╵|Do you want to perform these actions(?:\?| in workspace )"
    r"|Apply complete!|Releasing state lock)",
    re.MULTILINE,
)
# The summary of an init that finds a provider nowhere:
# https://github.com/hashicorp/terraform/blob/v1.11.4/internal/command/init.go
_NO_PROVIDER = "Failed to query available provider packages"
_MAXIMUM_DETAIL = 600  # characters of a text, which may quote a whole request
_MAXIMUM_REST = 300
_SOURCE = re.compile(
    r"on (?P<file>\S+) line (?P<line>\d+)(?:, in .*)?:\n(?P<code>(?:\s+\d+: .*\n)*)"
)


def parse_diagnostics(output: str, severity: str = "Error") -> list[Diagnostic]:
    """Returns those of one `severity` (Error, Warning) in Terraform's text output, in its order."""
    # `terraform state push` takes no -no-color, and is coloured also to a file (Terraform 1.11.4).
    plain = re.sub(r"\x1b\[[0-9;]*m", "", output)
    plain = re.sub(r"^[│╷] ?", "", plain, flags=re.MULTILINE)
    blocks = _BEGINNING.split(plain)
    return [_parse_block(block) for block in blocks if block.startswith(f"{severity}: ")]


def first_error(output: str) -> Diagnostic:
    """Returns the first error in Terraform's text output, or the end of an output without one."""
    errors = parse_diagnostics(output)
    return errors[0] if errors else Diagnostic(" ".join(output.split())[-_MAXIMUM_REST:])


def describe_end(product: str, exit_code: int, log: Path) -> Diagnostic:
    """Returns why a `product` has failed that has said nothing of it.

    `exit_code` is negative for a signal; `log` is what it printed.
    """
    if exit_code >= 0:
        return Diagnostic(f"{product} ended with an error; see {log}")
    ended = f"{product} was ended by signal {-exit_code}"
    if log.stem.rpartition(".")[2] not in ("apply", "destroy", "import"):
        return Diagnostic(f"{ended}; see {log}")
    return Diagnostic(
        ended,
        "what it had begun may be in the cloud and not in its state; run this again, and if "
        f"something exists already: tools adopt (log: {log})",
    )


def _parse_block(block: str) -> Diagnostic:
    first, _, rest = block.partition("\n")
    summary = first.split(": ", 1)[1].strip()
    if _NO_PROVIDER in summary:
        return Diagnostic(
            "no provider: the registry is out of reach and no mirror was found",
            "put one under a folder that Terraform searches, or in /opt, /usr/local, /usr/share or "
            "/srv: https://developer.hashicorp.com/terraform/cli/commands/providers/mirror",
        )
    resource = re.match(r"\s*with (?P<address>\S.*),\n", rest)
    rest = rest[resource.end() :] if resource else rest
    source_match = _SOURCE.match(rest.lstrip())
    rest = rest.lstrip()[source_match.end() :] if source_match else rest
    code = re.sub(r"^\s*\d+: ", "", source_match["code"]).strip() if source_match else ""
    return Diagnostic(
        summary,
        " ".join(rest.split())[:_MAXIMUM_DETAIL],
        resource["address"] if resource else "",
        source_match["file"] if source_match else "",
        int(source_match["line"]) if source_match else 0,
        code,
    )
