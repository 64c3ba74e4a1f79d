"""What the parser says of files, beside what python-hcl2 says: another reader of the same texts."""

from pathlib import Path

import hcl2
import pytest
from hcl2 import SerializationOptions

from tests.trees import REPOSITORY, tracked
from tools.hcl import file_references, reading
from tools.hcl.file_references import read_references

PLAIN = SerializationOptions(strip_string_quotes=True, explicit_blocks=False, with_comments=False)
TEXTS = [
    name
    for name in tracked("shared-infra", "modules", "notebooks", "bootstrap")
    if name.endswith(".tf")
]


@pytest.mark.parametrize("folder", sorted({name.rpartition("/")[0] for name in TEXTS}))
def test_variables_and_modules_of_the_shipped_roots_are_those_of_another_reader(
    folder: str,
) -> None:
    for name in (name for name in TEXTS if name.rpartition("/")[0] == folder):
        content = (REPOSITORY / name).read_bytes()
        uses = read_references(content, is_json=False)
        other = hcl2.loads(content.decode(), serialization_options=PLAIN)
        assert not uses["unreadable"]
        for kind, found in (("variable", uses["variables"]), ("module", uses["modules"])):
            assert set(found) == {label for block in other.get(kind, []) for label in block}
        assert set(uses["locals"]) == {key for block in other.get("locals", []) for key in block}


@pytest.mark.parametrize(
    ("text", "outputs"),
    [
        ("data.terraform_remote_state.b.outputs.x", [("b", "x")]),
        ('data.terraform_remote_state.b["k"].outputs["x"]', [("b", "x")]),
        ("data . terraform_remote_state . b . outputs . x", [("b", "x")]),
        ("(data.terraform_remote_state.b\n  .outputs\n  .x)", [("b", "x")]),
        ("data.terraform_remote_state.b.outputs[var.x]", [("b", "")]),
        ("data.terraform_remote_state.b.outputs", [("b", "")]),
        ("data.terraform_remote_state.b", [("b", "")]),
        ("data.terraform_remote_state.b[0].outputs.x.y", [("b", "x")]),
        (
            "data.terraform_remote_state.b[data.terraform_remote_state.c.outputs.n].outputs.x",
            [("c", "n"), ("b", "x")],
        ),
        ('"a ${data.terraform_remote_state.b.outputs.x} b"', [("b", "x")]),
        ("values(data.terraform_remote_state.b)[*].outputs.x", [("b", "")]),
        ('"$${data.terraform_remote_state.b.outputs.x}"', []),
        ("# data.terraform_remote_state.b.outputs.x\n  1", []),
    ],
)
def test_outputs_of_other_states(text: str, outputs: list[tuple[str, str]]) -> None:
    content = f"locals {{\n  a = {text}\n}}\n".encode()
    assert [
        tuple(output) for output in read_references(content, is_json=False)["outputs"]
    ] == outputs


@pytest.mark.parametrize(
    "text",
    [
        'resource "aws_s3_object" "o" {\n  source = "x"\n}\n',
        'resource "template_dir" "o" {\n  source_dir = "x"\n}\n',
    ],
)
def test_a_path_is_found_by_its_argument_alone(text: str) -> None:
    [(_, expression)] = read_references(text.encode(), is_json=False)["arguments"]
    assert expression == ["literal", "x"]


@pytest.mark.parametrize(
    ("text", "climbs"),
    [
        ('locals {\n  a = "${var.x}/../b"\n}\n', True),
        ('locals {\n  a = "x/../b"\n}\n', True),
        ('locals {\n  a = "${var.x}..b"\n}\n', False),
        # A path itself, which is followed.
        ('locals {\n  a = "${path.module}/../b"\n}\n', False),
        # The path of a state is no part of another.
        ('data "terraform_remote_state" "s" {\n  config = { path = "${var.x}/../b" }\n}\n', False),
    ],
)
def test_a_text_that_leads_out_of_a_folder_is_told(text: str, climbs: bool) -> None:
    assert read_references(text.encode(), is_json=False)["climbs"] == climbs


@pytest.mark.parametrize(
    ("content", "is_json", "reason"),
    [
        (b"# file \xff\n", False, "not UTF-8 at byte 7"),
        (b'{"locals": {\n', True, "not valid JSON at line 2"),
        (b'{"locals": %s}' % (b"[" * 5000 + b"]" * 5000), True, "nested too deeply"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(content: bytes, is_json: bool, reason: str) -> None:
    assert read_references(content, is_json)["unreadable"].startswith(reason)


def test_blocks_of_one_name_in_json_both_count() -> None:
    """As Terraform was seen to take them: https://github.com/hashicorp/hcl/blob/main/json/spec.md"""
    text = b'{"module": {"a": {"source": "./a"}}, "//": 1, "module": [{"b": {"source": "./b"}}]}'
    assert list(read_references(text, is_json=True)["modules"]) == ["a", "b"]


def test_a_secret_default_is_not_kept() -> None:
    text = b'variable "s" {\n  sensitive = true\n  default = "hunter2"\n}\n'
    assert read_references(text, is_json=False)["variables"]["s"] == {
        "sensitive": ["literal", True]
    }


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a = 1 + 2\n", {"a": 3}),
        ('a = ("x")\n', {"a": "x"}),
        ('\ufeffa = "x"\n', {"a": "x"}),
        ("a = <<EOT\nx\nEOT  \n", {"a": "x\n"}),
        ("a /* c */ = 1\n", {"a": 1}),
        ('a = "$${ only"\n', {"a": "${ only"}),
        ('größe = "x"\n', {"größe": "x"}),
        ("a = -1\nb = !true\n", {"a": -1, "b": False}),
    ],
)
def test_values_in_every_form_that_terraform_takes(
    tmp_path: Path, text: str, values: dict[str, reading.Value]
) -> None:
    """Each was given to Terraform 1.11, which read the same."""
    file = tmp_path / "terraform.tfvars"
    file.write_text(text, encoding="utf-8")
    assert reading.read_tfvars(file) == values


def test_a_template_calls_functions() -> None:
    text = 'echo "${file("a")}" $${file("b")} %{ if fileexists("c") }x%{ endif }\n'
    names = [(name, arguments[0][1]) for name, arguments in file_references.calls_in_template(text)]
    assert names == [("file", "a"), ("fileexists", "c")]
