"""DataTables' module and the page's script as one; tests/report/test_page.py runs the result."""

import re

import pytest

from tools.errors import UserError
from tools.report import script

EXPORT = "export{a as Other,$b as default};\n"


def test_the_default_export_is_the_scripts_datatable() -> None:
    whole = script.join(f"var a = 1, $b = 2;{EXPORT}/* licences */", "use(DataTable);\n", "it 1")
    assert whole.startswith("var a = 1, $b = 2;export{")
    assert whole.endswith("/* licences */\n{\nconst DataTable = $b;\nuse(DataTable);\n}\n")


@pytest.mark.parametrize(
    ("bundle", "why"),
    [
        ("", "no single `export"),
        ("export{a as Other};", "no single `export"),
        ("export default a;", "no single `export"),
        (EXPORT + EXPORT, "no single `export"),
        (f"x = '</SCRIPT>';{EXPORT}", "a tag that would end"),
        (f"x = '<!--';\ny = '<script>';{EXPORT}", "a tag that would end"),
    ],
)
def test_a_bundle_of_another_form_is_refused(bundle: str, why: str) -> None:
    with pytest.raises(UserError, match=re.escape(why)) as caught:
        script.join(bundle, "", "itables 9.9")
    assert str(caught.value).startswith("itables 9.9: ")
    assert "make setup" in str(caught.value)


def test_text_that_html_takes_for_text_is_let_through() -> None:
    """A tag opened before a comment, and one escaped within it, as regular expressions have."""
    bundle = rf"x = ['<script>', /<!--.*?-->/, /<script\b.*<\/script>/];{EXPORT}"
    assert script.join(bundle, "", "itables 9.9").startswith(bundle)


def test_a_package_without_the_bundle_is_one_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, "_BUNDLE", "itables/html/moved.js")
    with pytest.raises(UserError, match=r"itables [\d.]+: itables/html/moved.js .* cannot be read"):
        script.compose()
