"""The table of skipped checks in docs/security.md: `python -m tests.terraform.skips_table`."""

from tests.trees import REPOSITORY

from .test_checkov import skips

COMMAND = "python -m tests.terraform.skips_table"
BEGIN = f"<!-- Table made by: {COMMAND} -->"
END = "<!-- End of the table -->"
DOCUMENT = REPOSITORY / "docs" / "security.md"


def renewed() -> str:
    """The document with the table as the comments in the Terraform have it now."""
    before, begin, rest = DOCUMENT.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{DOCUMENT} lacks {BEGIN} or {END}")
    rows = "".join(
        f"| {skip.check} | [`{skip.resource}`](../{skip.file}) | {skip.reason} |\n"
        for skip in skips()
    )
    table = f"| Check | Resource | Reason |\n| --- | --- | --- |\n{rows}"
    return f"{before}{begin}\n\n{table}\n{end}{after}"


if __name__ == "__main__":
    DOCUMENT.write_text(renewed())
