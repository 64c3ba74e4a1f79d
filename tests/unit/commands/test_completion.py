"""Completion by click's own protocol: what a shell's script asks for, and what it gets."""

import shutil
import subprocess
import sys
from pathlib import Path

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


BASH = """
eval "$(tools completion bash)"
complete -p tools
# As readline does at a tab, with the words of the line and the place of the cursor.
ask() {
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
  _tools_completion tools
  echo "${COMPREPLY[*]}"
}
ask tools pla
ask tools deploy notebook-
ask tools new-notebook x --profile s
"""


def test_a_real_bash_completes(checkout: Checkout) -> None:
    env = {**checkout.env, "PATH": f"{Path(sys.executable).parent}:{checkout.env['PATH']}"}
    done = subprocess.run(
        ["bash", "--norc", "-c", BASH],
        cwd=checkout.root,
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "complete -o nosort -F _tools_completion tools",
        "plan",
        "notebook-dev notebook-prod",
        "staging",
    ]
