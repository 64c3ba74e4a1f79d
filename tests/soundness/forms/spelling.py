"""Forms of spelling: what Terraform takes and other readers of HCL may not."""

from functools import partial

from tests.soundness.forms.registry import FORMS, Form
from tests.soundness.site import Changes, Site, file_changes

_EXPANDED = "the arguments of a call that come out of a list are not followed"


def _spelt(text: str, site: Site) -> Changes:
    """A text with NAME for the form's name, and FILE for a file that it reads."""
    path = site.shared("x.sh")
    site.raw(text.replace("NAME", site.name).replace("FILE", site.in_module(path)))
    return file_changes(path) if "FILE" in text else {}


_RESOURCE = 'resource "terraform_data" "NAME" {{\n  input = {}\n}}\n'

for _what, _text, _unknown in (
    ("a heredoc", _RESOURCE.format('<<EOT\nx ${file("FILE")}\nEOT'), ""),
    ("an indented heredoc", _RESOURCE.format('<<-EOT\n    x ${file("FILE")}\n    EOT'), ""),
    (
        "a heredoc whose end has blanks after it",
        _RESOURCE.format('<<-EOT\n    x ${file("FILE")}\n    EOT  '),
        "",
    ),
    (
        "a heredoc with quotes",
        _RESOURCE.format('<<EOT\n"x" ${file("FILE")} \\ $${x}\nEOT'),
        "",
    ),
    ("stripped templates", _RESOURCE.format('"${~ file("FILE") ~}"'), ""),
    ("an escaped template", _RESOURCE.format('"$${ only %%{ if"'), ""),
    ("escapes in a text", _RESOURCE.format(r'"\"file(\\\"x\\\")\" \u00fc \t"'), ""),
    ("a template's condition", _RESOURCE.format('"%{ if true }${file("FILE")}%{ endif }"'), ""),
    (
        "a template's loop",
        _RESOURCE.format('"%{ for n in ["FILE"] }${file(n)}%{ endfor }"'),
        "the paths of a loop in a template are not followed",
    ),
    ("a quoted template in a template", _RESOURCE.format('"a ${"b ${file("FILE")}"} c"'), ""),
    ("a path with escapes", _RESOURCE.format('file("\\u002e/FILE")'), ""),
    ("a call on several lines", _RESOURCE.format('file(\n    # "x"\n    "FILE",\n  )'), ""),
    ("blanks before the brackets", _RESOURCE.format('file ( "FILE" )'), ""),
    ("an expanded argument", _RESOURCE.format('file(["FILE"]...)'), _EXPANDED),
    ("a core function", _RESOURCE.format('core::file("FILE")'), ""),
    ("a name with an umlaut", 'variable "ü_NAME" {\n  default = 1\n}\n', ""),
    ("a legacy splat", _RESOURCE.format('[{ a = file("FILE") }].*.a'), ""),
    ("a comment of two slashes", "// file(\n" + _RESOURCE.format('file("FILE")'), ""),
    ("no newline at the end", _RESOURCE.format('file("FILE")').rstrip(), ""),
    ("an argument after a comment", _RESOURCE.format('/* = "x" */ file("FILE")'), ""),
    ("a unicode text", _RESOURCE.format('"ü ${file("FILE")} 日本"'), ""),
    (
        "an index of digits",
        _RESOURCE.format('[file("FILE")].0'),
        "",
    ),
    (
        "colons in an object",
        _RESOURCE.format('{ a : file("FILE"), "b" : 1, (path.module) = 2 }'),
        "",
    ),
):
    FORMS[_what] = Form(partial(_spelt, _text), _unknown, is_raw=True)
