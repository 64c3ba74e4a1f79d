"""What follows next for a notebook that its roster no longer names."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from tools.aws.sagemaker import Instance
from tools.errors import UserError
from tools.roster.backup import Backup

# Work of the last hour may be lost, and is on the volume until the notebook is destroyed.
FRESH = timedelta(hours=1)

# The keys of the file beside the state, one for each field of the note; other versions read them.
_KEYS = ("since", "until", "stopped", "backup")

Verb = Literal["stop", "wait", "destroy", "gone", "refused"]


@dataclass(frozen=True)
class RetirementNote:
    """Lies beside the state of a notebook that was stopped to be retired.

    `stopped` is when its instance last changed, as AWS says, and `backed_up` when its backup ended.
    """

    since: datetime
    until: datetime
    stopped: datetime
    backed_up: datetime

    def to_json(self) -> bytes:
        """The file beside the state."""
        fields = zip(_KEYS, vars(self).values(), strict=True)
        moments = {key: moment.isoformat() for key, moment in fields}
        return json.dumps(moments, indent=1).encode() + b"\n"

    @classmethod
    def parse(cls, text: bytes, where: str) -> "RetirementNote":
        """Reads the file beside the state. Raises UserError for what is no such note."""
        try:
            moments = json.loads(text)
            note = cls(*(datetime.fromisoformat(moments[key]) for key in _KEYS))
            if all(moment.tzinfo for moment in vars(note).values()):
                return note
        except (ValueError, KeyError, TypeError):
            pass
        raise UserError(f"{where} is no note of a retirement; look at it, and delete it") from None


def still_holds(note: RetirementNote, instance: Instance) -> bool:
    """Whether the notebook has been stopped ever since the note was written."""
    return instance.status == "Stopped" and instance.modified == note.stopped


def check_unchanged(note: RetirementNote, backup: Backup) -> None:
    """Raises UserError if the backup is not the one that was checked before the stop."""
    if backup.ended != note.backed_up:
        raise UserError(
            f"{backup.where}/done.txt is not the one of {note.backed_up:%Y-%m-%d %H:%M} UTC that "
            "was checked before the notebook was stopped; find out who wrote it"
        )


def check_fresh(backup: Backup, instance: Instance, now: datetime) -> None:
    """Raises UserError unless the backup is of the last hour in which the notebook ran.

    It has to be of this start of a running notebook, and of this instance in any case.
    """
    runs = instance.status == "InService"
    first = instance.modified if runs else instance.created
    last = now if runs else instance.modified
    if first is None or backup.began < first or not last - FRESH <= backup.ended <= last:
        raise UserError(
            f"its backup is of {backup.ended:%Y-%m-%d %H:%M} UTC, and not of the last hour in "
            "which it ran"
        )
