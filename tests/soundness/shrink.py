"""Makes a recipe that fails smaller, as long as it still fails in the same way."""

import tempfile
from pathlib import Path

from tests.soundness.judge import Tally, Verdict, judge
from tests.soundness.recipe import Recipe
from tools.terraform.binary import Terraform

_TRIES = 60


def shrink(verdict: Verdict, terraform: Terraform) -> Verdict:
    """Returns the verdict of a smaller recipe whose failures are of a kind that `verdict` has."""
    tries = 0
    smaller = verdict.recipe.smaller()
    while smaller and tries < _TRIES:
        tries += 1
        found = _judge(smaller.pop(0), terraform)
        if found and {f.kind for f in found.failures} & {f.kind for f in verdict.failures}:
            verdict, smaller = found, found.recipe.smaller()
    return verdict


def _judge(recipe: Recipe, terraform: Terraform) -> Verdict | None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            return judge(recipe, Path(folder), terraform, Tally())
        except LookupError:  # a form has lost the upstream, or a change the form, that it needs
            return None


def report(title: str, verdict: Verdict, terraform: Terraform) -> str:
    """What was found, shrunk, and how to run it again."""
    smallest = shrink(verdict, terraform)
    return "\n".join(
        [
            f"{title}: {verdict.failures[0].text}",
            "shrunk:",
            *(f"  {failure.text}" for failure in smallest.failures),
            smallest.recipe.to_json(),
            "Keep it as a case: tests/soundness/cases/<what it shows>.json",
        ]
    )
