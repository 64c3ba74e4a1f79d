"""The forms: each writes something that Terraform reads, and offers changes to it."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.soundness.site import Changes, Site

Write = Callable[[Site], Changes]


@dataclass(frozen=True)
class Form:
    """A way to write something that Terraform reads.

    `unknown` says why a tool that reads files alone may call it unknown; where it is empty, it may
    not. `upstreams` is how many stacks it needs before it. `is_raw` is for HCL that has no JSON;
    `is_of_root` for what cannot be in a module. `is_in_part` says that a path is known
    in part without Terraform: a text that climbs by "..", of another form of the stack, makes it
    unknown. `weight` is less for one of many alike.
    """

    write: Write
    unknown: str = ""
    upstreams: int = 0
    is_raw: bool = False
    is_of_root: bool = False
    is_in_part: bool = False
    weight: float = 1


FORMS: dict[str, Form] = {}


def form(
    unknown: str = "",
    upstreams: int = 0,
    is_raw: bool = False,
    is_of_root: bool = False,
    is_in_part: bool = False,
) -> Callable[[Write], Write]:
    """Adds the decorated function to FORMS, by its name."""

    def add(write: Write) -> Write:
        name = write.__name__.replace("_", " ")
        assert name not in FORMS, name
        FORMS[name] = Form(write, unknown, upstreams, is_raw, is_of_root, is_in_part)
        return write

    return add
