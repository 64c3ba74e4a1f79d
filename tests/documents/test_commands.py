"""The commands of README and its first pages, as they stand there, one after the other.

The oracle is the reader: each command is typed into a shell in a real terminal, and ends with 0.
The local cloud is the account wherever a page goes on to AWS.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import TOOLS, user_env
from tests.conftest import SECONDS_OF_A_TRANSITION
from tests.trees import REPOSITORY, copy_repository
from tools.localcloud.process import TRANSITION_VARIABLE
from tools.terraform.binary import Terraform
from tools.terraform.installation import BINARY_VARIABLE

from .shell import Shell

pytestmark = pytest.mark.nightly  # the provider waits a minute for the buckets' lifecycle rules

# The account is empty, and all that asks for AWS reaches the local cloud.
AWS = 'tools local reset && eval "$(tools local env)"'
# What is typed before a command, since the page says it in its text.
BEFORE = {
    ("README.md", "tools init"): AWS,
    ("docs/getting-started.md", "tools init"): AWS,
    ("docs/getting-started.md", "tools state bootstrap --bucket acme-terraform-states"): "cd -",
}
NEW = 'tools new-notebook nlp-project --profile staging --purpose "Language models"'
# What is typed instead: `tools` takes no emulator for AWS. It reaches it by --local, from the
# working copy.
INSTEAD = {
    "tools doctor": "tools doctor --local",
    "make deploy-shared": "tools deploy --shared --local",
    f"{NEW} --apply": f"{NEW} --apply --local",
    NEW: f"{NEW} --local",
    "cd notebooks/nlp-project": "cd .tools/local/workspace/notebooks/nlp-project",
    "tools open nlp-project --browser": "tools open nlp-project --browser --local",
    "tools state bootstrap --bucket acme-terraform-states": "tools state bootstrap --local "
    "--bucket acme-terraform-states",
    "tools state enable": "tools state enable --local --bucket acme-terraform-states",
    "make destroy": "tools destroy --local",
}
LEFT_OUT = {
    "make test": "it would run this test",
    "git clone https://github.com/<you>/<your-copy>.git ml-infra": "the test has a copy",
    "cd ml-infra": "the test begins there",
    "tools init --project acme-ml --region eu-west-1 --default-vpc": "tools init without options "
    "has set the same just before",
}
SHOWN = {
    ("README.md", "source .venv/bin/activate && tools status --local"): ["3 InService"],
    ("docs/getting-started.md", "terraform output notebook_url"): ["https://nlp-project"],
    ("docs/tutorial.md", "tools graph"): ["shared-infra/s3\n└── shared-infra/iam"],
    ("docs/tutorial.md", "tools explain-access charlie-notebook --local"): [
        "users/charlie-notebook/",
        "shared/",
    ],
    ("docs/tutorial.md", "tools status --local"): ["alice-notebook", "bob-notebook", "InService"],
    ("docs/tutorial.md", "tools deploy --local bob-notebook"): ["notebooks/bob-notebook"],
    ("docs/tutorial.md", "tools report --local --output team.html"): ["team.html"],
}
PAGES = ("README.md", "docs/getting-started.md", "docs/tutorial.md")


def commands(page: str) -> list[str]:
    """The commands in a page's blocks, without comments; a here-document is one command."""
    text = (REPOSITORY / page).read_text()
    blocks = re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    plain = "".join(block for block in blocks if "──" not in block)  # which is a drawing
    whole = re.findall(r"^.*<<END\n(?:.*\n)*?END$|^.+$", plain, re.MULTILINE)
    return [re.sub(r"\s+# .*$", "", command, flags=re.MULTILINE) for command in whole]


@pytest.fixture
def shell(
    tmp_path: Path, kept_terraform: Terraform, request: pytest.FixtureRequest
) -> Iterator[Shell]:
    root = copy_repository(tmp_path / "ml-infra")
    # As after `make setup`: what make would install is here, and newer than what it is made from.
    (root / ".venv").mkdir()
    (root / ".venv/bin").symlink_to(TOOLS.parent)
    (root / ".venv/.ready-local").touch()
    binary = kept_terraform.binary
    env = {
        **user_env(kept_terraform),
        TRANSITION_VARIABLE: SECONDS_OF_A_TRANSITION,
        BINARY_VARIABLE: str(binary),
        "PATH": f"{binary.parent}{os.pathsep}{os.environ['PATH']}",
        "BROWSER": "true",
        "EDITOR": "sed -i s/ml.t3.medium/ml.m5.xlarge/",
    }
    shell = Shell(root, env)
    identity = "-c user.name=t -c user.email=t@example.com"
    made = shell.types(f"git init -q && git add -A && git {identity} commit -qm clone")
    assert made[0] == 0, made
    try:
        yield shell
    finally:
        shell.types(f"cd '{root}'; .venv/bin/tools local down")
        shell.close()


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_the_page_works(page: str, shell: Shell) -> None:
    typed = commands(page)
    assert typed
    for command in typed:
        if command in LEFT_OUT:
            continue
        if first := BEFORE.get((page, command)):
            code, shown = shell.types(first)
            assert code == 0, f"{first}\n{shown}"
        code, shown = shell.types(INSTEAD.get(command, command))
        assert code == 0, f"{command}\n{shown}"
        for part in SHOWN.get((page, command), []):
            assert part in shown, f"{command}\n{shown}"


def test_the_lists_here_name_commands_of_the_pages() -> None:
    """What is no longer on a page is no longer here."""
    found = {(page, command) for page in PAGES for command in commands(page)}
    assert {*BEFORE, *SHOWN} <= found
    assert LEFT_OUT.keys() | INSTEAD.keys() <= {command for _, command in found}
