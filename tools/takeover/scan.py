"""What of an account the stacks could take, and do not hold."""

from collections.abc import Sequence
from dataclasses import dataclass

from tools.takeover.site import Site


@dataclass(frozen=True)
class Candidate:
    kind: str


def candidates(site: Site) -> list[Candidate]:
    return []


def print_json(found: Sequence[Candidate]) -> None: ...
def show(found: Sequence[Candidate], site: Site) -> None: ...
