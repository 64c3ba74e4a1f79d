"""Completion by click's own protocol: what a shell's script asks for, and what it gets."""

import shutil

import pytest

from tests.unit.commands.conftest import Checkout


def complete(checkout: Checkout, *words: str, cwd: str = ".") -> list[str]:
    """What bash's script is offered for the last of `words`; it fails on anything on stderr."""
    line = " ".join(("tools", *words))
    done = checkout.tools(
        cwd=cwd, _TOOLS_COMPLETE="bash_complete", COMP_WORDS=line, COMP_CWORD=str(len(words))
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [offer.partition(",")[2] for offer in done.stdout.splitlines() if offer]


@pytest.mark.parametrize(
    ("words", "offers"),
    [
        (("pla",), ["plan"]),
        (("state", "unl"), ["unlock"]),
        (("deploy", "notebook-p"), ["notebook-prod"]),
        (("deploy", "iam", "shared-infra/v"), ["shared-infra/vpc-endpoints"]),
        (("status", "notebook-"), ["notebook-dev", "notebook-prod"]),
        (("status", "vpc"), []),  # no notebook
        (("new-notebook", "x", "--profile", "s"), ["staging"]),
        (("new-notebook", "x", "--from", "notebook-d"), ["notebook-dev"]),
        (("stop", "--idle-m"), ["--idle-minutes"]),
        (("completion", "f"), ["fish"]),
    ],
)
def test_a_shell_is_offered(checkout: Checkout, words: tuple[str, ...], offers: list[str]) -> None:
    assert complete(checkout, *words) == offers


def test_names_are_those_of_the_repository_that_root_names(checkout: Checkout) -> None:
    assert complete(checkout, "deploy", "notebook-d", cwd="..") == []
    words = ("--root", str(checkout.root), "deploy", "notebook-d")
    assert complete(checkout, *words, cwd="..") == ["notebook-dev"]


def test_a_repository_out_of_order_offers_what_there_is(checkout: Checkout) -> None:
    (checkout.root / "notebooks/notebook-dev/main.tf").write_text("resource {")
    shutil.rmtree(checkout.root / "notebooks/notebook-prod")
    (checkout.root / "notebooks/notebook-prod").symlink_to("nowhere")
    assert complete(checkout, "plan", "notebook-") == ["notebook-dev"]
