from tests.cli.conftest import Checkout

from .reference import COMMAND, DOCUMENT, renewed


def test_the_reference_is_fresh() -> None:
    assert DOCUMENT.read_text() == renewed(), f"renew it: {COMMAND}"


def test_the_reference_has_what_a_person_sees(checkout: Checkout) -> None:
    """The oracle is `tools` itself, started on a terminal of 80 columns."""
    reference = DOCUMENT.read_text()
    for path in ("deploy", "state restore", "import bucket", "local"):
        seen = checkout.tools(*path.split(), "--help", COLUMNS="80").stdout
        assert f"\n## tools {path}\n\n```text\n{seen}```\n" in reference, path
