import re

from tests.trees import REPOSITORY

from .errors_table import COMMAND, DOCUMENT, messages, renewed

TROUBLESHOOTING = REPOSITORY / "docs" / "troubleshooting.md"
# What others say: Terraform with the guard of modules/common, AWS; and a status and a file.
OTHERS = {
    "AccessDenied",
    "UnauthorizedOperation",
    "Failed",
    "has terraform.tfstate, the state of …",
    "errored.tfstate",
}


def test_the_list_of_error_messages_is_fresh() -> None:
    assert DOCUMENT.read_text() == renewed(), f"renew it: {COMMAND}"


def test_what_troubleshooting_quotes_is_said_by_the_program() -> None:
    """The oracle is the code: a message that has changed is no longer what a reader sees."""
    sources = sorted((REPOSITORY / "tools").rglob("*.py"))
    said = "\n".join(message for path in sources for message in messages(path))
    for module in ("explain", "records", "run"):  # reasons that they return, and do not raise
        said += (REPOSITORY / f"tools/engine/{module}.py").read_text()
    seen = re.findall(r"^\| (.*?) \|", TROUBLESHOOTING.read_text(), re.MULTILINE)
    quoted = {quote for cell in seen for quote in re.findall(r"`([^`]+)`", cell)} - OTHERS
    quoted -= {quote for quote in quoted if quote.startswith(("tools ", "pip ", "users/"))}
    missing = [
        quote for quote in quoted if not all(part.strip() in said for part in quote.split("…"))
    ]
    assert missing == []
