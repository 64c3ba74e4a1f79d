"""Runs one repository again: `.venv/bin/python -m tests.soundness SEED`, or the file of a case."""

import os
import sys
import tempfile
from pathlib import Path

from tests.soundness.judge import Tally, judge
from tests.soundness.recipe import Recipe, generate
from tests.soundness.shrink import report
from tools.terraform.binary import Terraform


def main(argument: str) -> int:
    is_seed = argument.isdigit()
    recipe = generate(int(argument)) if is_seed else Recipe.parse(Path(argument).read_text())
    env = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        terraform = Terraform.find(env, Path(folder))
        (tree := Path(folder, "tree")).mkdir()
        verdict = judge(recipe, tree, terraform, tally)
        if verdict.failures:
            print(report(argument, verdict, terraform))
            return 1
    print(verdict.recipe.to_json())
    print(f"{tally.known} of {tally.total} that Terraform would leave were known to be unchanged")
    print(*tally.not_known, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
