"""What this program evaluates by itself is what Terraform evaluates, or is unknown."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tools.hcl.evaluation import Scope, evaluate, is_known
from tools.hcl.syntax import UnreadableError, parse_expression, parse_file
from tools.terraform.binary import Terraform

EXPRESSIONS = (Path(__file__).parent / "expressions.txt").read_text().splitlines()
_REFUSED = "refused"  # no JSON


def test_no_value_is_another_than_terraforms(tmp_path: Path, plain_terraform: Terraform) -> None:
    """The oracle is Terraform itself, in outputs of a root module."""
    (tmp_path / "main.tf").write_text(
        "".join(
            f'output "e{number}" {{\n  value = try(jsonencode({text}), "{_REFUSED}")\n}}\n'
            for number, text in enumerate(EXPRESSIONS)
        )
    )
    command = [plain_terraform.binary, "apply", "-auto-approve", "-input=false"]
    subprocess.run(command, cwd=tmp_path, env=plain_terraform.env, capture_output=True, check=True)
    outputs = plain_terraform.outputs(tmp_path)
    wrong = {}
    known = 0
    for number, text in enumerate(EXPRESSIONS):
        expected = outputs[f"e{number}"]
        if values := values_of(text):
            known += 1
            # Several are possible if a condition is not known.
            if expected == _REFUSED or as_json(json.loads(expected)) not in map(as_json, values):
                wrong[text] = (values, expected)
    assert wrong == {}
    assert known > len(EXPRESSIONS) / 3  # an evaluator that knows nothing would be right, too


HEREDOCS = (
    "<<EOT\n  a\n\tb\nEOT",
    "<<-EOT\n    a\n      b\n    EOT",
    "<<-EOT\n\ta\n  b\n  EOT",
    "<<-EOT\n    a\n  \n\n    b\n    EOT",
    "<<-EOT\n    a\n      \n    b\n    EOT",
    '<<-EOT\n    ${upper("x")} a\n      b\n    EOT',
    '<<-EOT\n${upper("x")} a\n      b\n    EOT',
    '<<-EOT\n    a ${upper("x")}\n      b ${upper("y")}${upper("z")}\n  c\n    EOT',
    "<<-EOT\n    a $${b}\n    EOT",
    "<<-EOT\n    EOT",
    "<<-EOT\n\u00a0\u00a0a\n\u3000\u3000b\n    EOT",
)


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["Unix", "Windows"])
def test_no_heredoc_is_another_than_terraforms(
    tmp_path: Path, plain_terraform: Terraform, newline: str
) -> None:
    """Indented or not, in files with lines of Unix and of Windows."""
    text = "".join(
        f'output "e{number}" {{\n  value = {heredoc}\n}}\n'
        for number, heredoc in enumerate(HEREDOCS)
    ).replace("\n", newline)
    (tmp_path / "main.tf").write_bytes(text.encode())
    command = [plain_terraform.binary, "apply", "-auto-approve", "-input=false"]
    subprocess.run(command, cwd=tmp_path, env=plain_terraform.env, capture_output=True, check=True)
    outputs = plain_terraform.outputs(tmp_path)
    scope = Scope()
    evaluated = {
        block.labels[0]: evaluate(block.body.attributes["value"], scope)
        for block in parse_file(text).blocks
    }
    assert evaluated == {name: [value] for name, value in outputs.items()}


def values_of(text: str) -> list[Any]:
    """The values that an expression may have, if each is known; otherwise none."""
    try:
        values = evaluate(parse_expression(text), Scope())
    except UnreadableError:
        return []
    return list(values) if all(map(is_known, values)) else []


def as_json(value: Any) -> str:
    """A text that tells true from 1, and "1" from 1, but not 1.0 from 1."""
    is_whole = isinstance(value, float) and value.is_integer()
    return json.dumps(int(value) if is_whole else value, sort_keys=True)


def test_what_a_for_leaves_out_need_not_be_known() -> None:
    """Nor does Terraform evaluate it: the expressions above have the same, held against it."""
    assert values_of('[for x in ["a", "b"] : tonumber(x) if x == "c"]') == [[]]
