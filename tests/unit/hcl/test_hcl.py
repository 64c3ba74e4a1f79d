import json
from pathlib import Path

import pytest

from tools.errors import UserError
from tools.hcl import configuration, evaluation, reading, syntax, types, writing


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
        ("b = 1\na {\n  c = 1\n}\n", "a block, a; a .tfvars file holds values"),
        # Terraform: "Cannot encode character U+d83d in UTF-8".
        ('a = 1\nb = "\\ud83d"\n', "line 2 cannot be read by this tool"),
        ('a = 1\nb = "\\U00110000"\n', "line 2 cannot be read by this tool"),
        ('a = 1\nb = "\\UFFFFFFFF"\n', "line 2 cannot be read by this tool"),
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


DECLARED = [
    {"variable": {"a": {"type": "list(string)"}, "b": {"default": None}, "c": {"default": [1]}}},
    {
        "variable": [
            {"a": {"type": "list(string)"}, "b": [{"default": None}]},
            {"c": {"default": [1]}},
        ]
    },
    [
        {"variable": {"a": [{"type": "list(string)"}], "b": {"default": None}}},
        {"variable": {"c": {"default": [1]}}},
    ],
]


@pytest.mark.parametrize("document", DECLARED)
def test_variables_in_json_are_read_in_each_form_of_their_blocks(
    tmp_path: Path, document: object
) -> None:
    """https://developer.hashicorp.com/terraform/language/syntax/json"""
    path = tmp_path / "variables.tf.json"
    path.write_text(json.dumps(document))
    assert reading.read_variables(path) == {"a": "list(string)", "b": "string", "c": "string"}
    assert reading.read_defaults(path) == {"b": None, "c": [1]}


def test_a_file_in_json_that_is_broken_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "variables.tf.json"
    path.write_text('{\n  "variable": {\n')
    for read in (reading.read_variables, reading.read_defaults):
        with pytest.raises(UserError, match=r"variables\.tf\.json: not valid JSON at line 3"):
            read(path)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (r"a\ud83d", "a\ufffd"),
        (r"\uDE00\ud83dA\ud83d\ude00", "\ufffd\ufffdA\U0001f600"),
        (r"\ud83d\ud83d\ude00", "\ufffd\U0001f600"),
        (r"\\ud83d", r"\ud83d"),
        (r"\\\ud83d\\", "\\\ufffd\\"),
        (r"\u0041\uffff", "A\uffff"),
    ],
)
def test_half_of_a_surrogate_pair_in_json_is_a_sign_of_its_own(written: str, value: str) -> None:
    """As Terraform 1.11.4 shows it in an output."""
    assert syntax.load_json(f'{{"{written}": ["{written}"]}}', dict) == {value: [value]}


BACKEND = ("s3", {"bucket": "b"})


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.tf.json", '{"terraform": {"backend": {"s3": {"bucket": "b"}}}}', BACKEND),
        ("a.tf.json", '{"terraform": [{"backend": [{"s3": [{"bucket": "b"}]}]}]}', BACKEND),
        (
            "a.tf.json",
            '{"terraform": {"backend": {"s3": {"bucket": "b"}}}, "terraform": {"x": "1"}}',
            BACKEND,
        ),
        ("a.tf.json", '{"terraform": {"cloud": {"organization": "o"}}}', ("cloud", {})),
        ("a.tf.json", '{"locals": {"a": "backend"}}', None),
        ("a.tf", 'terraform {\n  cloud {\n    organization = "o"\n  }\n}\n', ("cloud", {})),
        ("a.tf", 'locals {\n  a = "backend"\n}\n', None),
    ],
)
def test_reads_the_backend_in_each_form(
    tmp_path: Path, name: str, text: str, expected: tuple[str, dict[str, str]] | None
) -> None:
    (tmp_path / name).write_text(text)
    assert reading.read_backend(tmp_path / name) == expected


def test_what_nobody_needs_of_a_json_file_does_not_make_it_unreadable() -> None:
    """Terraform takes null for no block: https://github.com/hashicorp/hcl/blob/main/json/spec.md"""
    document = {
        "terraform": {"required_providers": None, "backend": None, "x": "${1 +}"},
        "check": {"c": {"assert": {"condition": "${1 +}"}}},
        "module": {"m": {"source": "./m"}},
    }
    pieces = configuration.read_pieces(json.dumps(document).encode(), True)
    assert (list(pieces["modules"]), pieces["unreadable"]) == (["m"], "")


def test_a_number_with_more_digits_than_python_reads_is_not_known() -> None:
    digits = "9" * 5000
    lists = evaluation.Scope(lambda kind, name: [["a", "b"]])
    index = syntax.parse_expression(f"var.list.{digits}")
    assert evaluation.evaluate(index, lists) == ["a", "b"]  # any of them
    declared = {"type": syntax.parse_expression("number")}
    (value,) = types.as_declared([digits], declared)
    assert not evaluation.is_known(value)


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


COMMENTED = ["a /* b */ = 1\n", "/* b */ a = 1\n", "/* b */ a /* c */ /* d */ = 1\n"]


@pytest.mark.parametrize("text", COMMENTED)
def test_a_name_beside_a_comment_is_not_set_a_second_time(text: str) -> None:
    """Terraform refuses a name that is set twice."""
    assert writing.has_comments(text, "a")
    assert writing.replace(text, "a", 2) is None
    assert writing.assign(f"{text}c = 3\n", {"a": 2}) == "a = 2\nc = 3\n"


def test_a_name_after_a_byte_order_mark_is_not_set_a_second_time() -> None:
    assert writing.assign("\ufeffa = 1\nb = 1\n", {"a": 2}) == "a = 2\nb = 1\n"


@pytest.mark.parametrize(
    ("text", "has_comments"),
    [
        ("/* b\n*/ a = 1\n", True),
        ("# a = 1\nb = 2 # c\n", False),
        ("b = {\n  a = 1 # c\n}\n", False),
        ("b = <<EOT\na = 1 # c\nEOT\n", False),
    ],
)
def test_a_line_that_does_not_set_the_name_by_itself_is_not_replaced(
    text: str, has_comments: bool
) -> None:
    assert writing.replace(text, "a", 2) is None
    assert writing.has_comments(text, "a") == has_comments


def test_assigns_to_a_file_without_a_last_newline() -> None:
    assert writing.assign('a = "b"', {"c": True}) == 'a = "b"\nc = true\n'
