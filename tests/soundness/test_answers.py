"""No stack is called unchanged that plain `terraform plan -detailed-exitcode` would change.

The repositories are generated, and so are the changes to them: the forms that Terraform takes are
in tests/soundness/forms. One repository again: `.venv/bin/python -m tests.soundness SEED`.
"""

from pathlib import Path

import pytest

from tests.soundness.build import build
from tests.soundness.forms import FORMS
from tests.soundness.judge import Tally, Workshop, judge
from tests.soundness.recipe import FormRecipe, Recipe, StackRecipe, generate
from tests.soundness.shrink import report
from tools.terraform.binary import Terraform

REPOSITORIES = 40
NIGHTLY = 1000
BLOCK = 10  # repositories of one test: enough for a share of their stacks
CASES = sorted((Path(__file__).parent / "cases").glob("*.json"))


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_what_once_failed(case: Path, tmp_path: Path, plain_terraform: Terraform) -> None:
    """The oracle is plain `terraform plan`, as below."""
    verdict = judge(Recipe.parse(case.read_text()), tmp_path, plain_terraform, Tally())
    assert not verdict.failures, report(case.stem, verdict, plain_terraform)


@pytest.mark.parametrize("first", range(0, REPOSITORIES, BLOCK))
def test_no_answer_is_contradicted_by_terraform(
    first: int, tmp_path: Path, plain_terraform: Terraform
) -> None:
    """The oracle is plain `terraform plan` in each stack, after the deployment and each change."""
    judge_block(first, tmp_path, plain_terraform)


@pytest.mark.nightly
@pytest.mark.parametrize("first", range(REPOSITORIES, REPOSITORIES + NIGHTLY, BLOCK))
def test_no_answer_of_many_is_contradicted(
    first: int, tmp_path: Path, plain_terraform: Terraform
) -> None:
    judge_block(first, tmp_path, plain_terraform)


def judge_block(first: int, folder: Path, terraform: Terraform) -> None:
    tally = Tally()
    found = []
    for seed in range(first, first + BLOCK):
        (tree := folder / str(seed)).mkdir()
        verdict = judge(generate(seed), tree, terraform, tally)
        if verdict.failures:
            found.append(report(f"seed {seed}", verdict, terraform))
    assert not found, "\n\n".join(found)
    # Otherwise a tool that says "unknown" of everything would be right too.
    assert tally.known >= 0.9 * tally.total, "\n".join(tally.not_known)


def test_what_is_listed_as_unknown_is(tmp_path: Path, plain_terraform: Terraform) -> None:
    """Otherwise the list would forgive what the tool could know by now."""
    listed = sorted(name for name, form in FORMS.items() if form.unknown)
    upstreams = (StackRecipe("shared-infra/a"), StackRecipe("shared-infra/b"))
    readers = {f"notebooks/n{n}": name for n, name in enumerate(listed)}
    stacks = (StackRecipe(name, (FormRecipe(form),)) for name, form in readers.items())
    workshop = Workshop(build(Recipe((*upstreams, *stacks)), tmp_path), plain_terraform)
    with workshop.as_user():
        workshop.deploy()
        answers = workshop.answers()
    assert [form for name, form in readers.items() if answers[name][0] != "unknown"] == []
