from pathlib import Path

import pytest

from tools.errors import UserError
from tools.hcl import reading, writing


def test_reads_every_kind_of_literal(tmp_path: Path) -> None:
    path = tmp_path / "terraform.tfvars"
    path.write_text(
        'text = "a \\"b\\" $${c} %%{d} \\u00e9"\nnumber = 20\nhalf = 0.5\nyes = true\n'
        'none = null\nlist = ["x", 1]\nmap = { k = "v", "l m" = "n" }\nempty = []\n'
    )
    assert reading.read_tfvars(path) == {
        "text": 'a "b" ${c} %{d} é',
        "number": 20,
        "half": 0.5,
        "yes": True,
        "none": None,
        "list": ["x", 1],
        "map": {"k": "v", "l m": "n"},
        "empty": [],
    }


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('a = "x"\nb = = 3\n', "line 2 cannot be read by this tool"),
        ("a = f(x)\n", "a is an expression"),
        ('a = "${var.x}"\n', "a is an expression"),
    ],
)
def test_names_file_and_line_of_what_is_no_literal(
    tmp_path: Path, text: str, complaint: str
) -> None:
    path = tmp_path / "terraform.tfvars"
    path.write_text(text)
    with pytest.raises(UserError, match=complaint) as raised:
        reading.read_tfvars(path)
    assert str(path) in str(raised.value)


def test_refuses_a_file_that_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "terraform.tfvars"
    path.write_bytes(b'a = "\xff"\n')
    with pytest.raises(UserError, match="not UTF-8"):
        reading.read_tfvars(path)


def test_reads_variables_with_their_types(tmp_path: Path) -> None:
    path = tmp_path / "variables.tf"
    path.write_text(
        'variable "a" {\n  type = list(string)\n}\nvariable "b" {\n  type = number\n}\n'
    )
    assert reading.read_variables(path) == {"a": "list(string)", "b": "number"}


def test_reads_the_defaults_of_variables(tmp_path: Path) -> None:
    path = tmp_path / "variables.tf"
    path.write_text(
        'variable "required" {\n  type = string\n}\n'
        'variable "none" {\n  type = string\n  default = null\n}\n'
        'variable "size" {\n  type = number\n  default = 20\n}\n'
        'variable "tags" {\n  type = map(string)\n  default = { Team = "a" }\n}\n'
        'variable "version" {\n  type = string\n  default = "2"\n}\n'
    )
    assert reading.read_defaults(path) == {
        "none": None,
        "size": 20,
        "tags": {"Team": "a"},
        "version": "2",
    }


def test_one_text_in_two_files_is_blamed_on_the_file_that_was_read(tmp_path: Path) -> None:
    """Texts are parsed once, wherever they lie."""
    for name in ("one", "two"):
        path = tmp_path / f"{name}.tfvars"
        path.write_text("a = = 1\n")
        with pytest.raises(UserError, match=f"{name}.tfvars, line 1"):
            reading.read_tfvars(path)


FILE = """\
# by hand
project = "a" # why
tags = {
  project = "inner"
  list    = [
    "]",
  ]
}
# region = "eu-west-1"
text = <<EOT
owner = "in a heredoc"
EOT
owner = "x"
"""


@pytest.mark.parametrize(
    ("values", "before", "after"),
    [
        ({"owner": "y"}, '\nowner = "x"\n', '\nowner = "y"\n'),
        (
            {"tags": {"a": "b"}},
            FILE[FILE.index("tags") : FILE.index("# reg")],
            'tags = {\n  "a" = "b"\n}\n',
        ),
        ({"region": None}, '"x"\n', '"x"\nregion = null\n'),
        ({"list": [1, 2]}, '"x"\n', '"x"\nlist = [1, 2]\n'),
    ],
)
def test_assigns_a_value_and_leaves_the_rest_as_it_is(
    values: dict[str, reading.Value], before: str, after: str
) -> None:
    assert writing.assign(FILE, values) == FILE.replace(before, after)


def test_assigns_to_a_file_without_a_last_newline() -> None:
    assert writing.assign('a = "b"', {"c": True}) == 'a = "b"\nc = true\n'
