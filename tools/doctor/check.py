"""A check's result."""

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warning", "error", "unknown"]


@dataclass(frozen=True)
class Check:
    """The result of the check `name`: what was found, and the mend if something is wrong.

    It is "unknown" if it could not be made; `detail` says why.
    """

    name: str
    status: Status
    detail: str
    mend: str = ""
