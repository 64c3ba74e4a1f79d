"""A mistyped name is told by itself: what would be missing later, as credentials, does not hide it.

The oracle is the person, who has typed one wrong letter and has no credentials here.
"""

from tests.unit.commands.conftest import Checkout

STACK = "no stack is called notebok-dev; did you mean notebook-dev?"
NOTEBOOK = "no directory of notebooks/ declares a notebook notebok-dev; did you mean notebook-dev?"
COMMANDS = {
    "plan notebok-dev": STACK,
    "deploy notebok-dev": STACK,
    "destroy notebok-dev": STACK,
    "drift notebok-dev": STACK,
    "adopt notebok-dev": STACK,
    "list notebok-dev": STACK,
    "graph notebok-dev": STACK,
    "explain-access notebok-dev": STACK,
    "state list notebok-dev": STACK,
    "state history notebok-dev": STACK,
    "state restore notebok-dev 3sL4kqtJ": STACK,
    "state unlock notebok-dev": STACK,
    "deploy --where owner=nobody": "no stack has owner=nobody; owner is",
    "rename-notebook notebok-dev other": "there is no notebooks/notebok-dev; did you mean note",
    "cost notebok-dev": NOTEBOOK,
    "status notebok-dev": NOTEBOOK,
    "start notebok-dev": NOTEBOOK,
    "stop notebok-dev": NOTEBOOK,
    "open notebok-dev": NOTEBOOK,
    "logs notebok-dev": NOTEBOOK,
}


def test_a_mistyped_name_is_the_error_also_without_credentials(deployable: Checkout) -> None:
    for typed, said in COMMANDS.items():
        done = deployable.tools(*typed.split())
        assert (done.returncode, done.stdout) == (1, ""), done
        assert done.stderr.startswith(f"error: {said}"), done


def test_the_right_name_needs_credentials(deployable: Checkout) -> None:
    for command in ("deploy", "adopt", "state unlock"):
        done = deployable.tools(*command.split(), "notebook-dev")
        assert "no AWS credentials" in done.stderr, done
