"""`tools import --scan` of an empty account; tests/imports has others."""

import json

from tests.trees import write_stack
from tests.unit.commands.conftest import Checkout

NOTE = "note: notebooks/elsewhere is left out: its files do not say where its state is\n"


def test_what_was_not_looked_at_is_said_beside_that_nothing_was_found(attached: Checkout) -> None:
    write_stack(attached.root, "notebooks/elsewhere", 'terraform {\n  backend "gcs" {}\n}\n')
    done = attached.tools("import", "--scan", "--local")
    assert (done.returncode, done.stdout) == (0, ""), done
    nothing = "every resource that the stacks could import is in their states\n"
    assert done.stderr == nothing + NOTE
    told = attached.tools("import", "--scan", "--local", "--json")
    assert (told.returncode, json.loads(told.stdout)) == (0, []), told
    assert told.stderr == NOTE
