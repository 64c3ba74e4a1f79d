"""When a notebook may be stopped and destroyed: its backup's list, its instance and the time."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tools.aws.sagemaker import Instance
from tools.errors import UserError
from tools.roster.backup import compare
from tools.roster.retirement import RetirementNote, check_fresh, check_unchanged, still_holds

WHERE = "s3://acme-datasets/backups/nlp"
# As install-backup.sh.tftpl writes it, which tests/autostop/test_backup.py runs.
DONE = b"2026-11-29T09:00:00Z 2026-11-29T09:10:00Z 2 11\n5 a.ipynb\n6 data/two words.csv\n"
STORED = {"a.ipynb": 5, "data/two words.csv": 6, "deleted-at-home.txt": 9}
NOW = datetime(2026, 11, 29, 10, 0, tzinfo=UTC)
STARTED = datetime(2026, 11, 29, 8, 0, tzinfo=UTC)
RUNNING = Instance("nlp", "arn:1", "InService", "ml.t3.medium", STARTED, created=STARTED)


def test_a_backup_is_whole_if_the_bucket_has_what_its_list_says() -> None:
    backup = compare(WHERE, DONE, STORED)
    assert (backup.files, backup.size) == (2, 11)
    assert backup.ended == datetime(2026, 11, 29, 9, 10, tzinfo=UTC)
    nothing = compare(WHERE, b"2026-11-29T09:00:00Z 2026-11-29T09:10:00Z 0 0\n\n", {})
    assert nothing.files == 0


@pytest.mark.parametrize(
    ("text", "stored", "why"),
    [
        (DONE, {"a.ipynb": 5}, r"1 of 2 files, 5 of 11 bytes.*two words"),
        (DONE, {**STORED, "a.ipynb": 4}, r"2 of 2 files, 10 of 11 bytes.*a\.ipynb"),
        # As many files and bytes, and another file.
        (DONE, {"b.ipynb": 5, "data/two words.csv": 6}, r"1 of 2 files"),
        (DONE.rsplit(b"\n", 2)[0], STORED, r"lists 1 files, 5 bytes.*2 files, 11 bytes"),
        (DONE.replace(b" 2 11", b" 2 12"), STORED, r"lists 2 files, 11 bytes"),
        (b"", STORED, "not a list"),
        (DONE.replace(b"5 a", b"x a"), STORED, "not a list"),
        (DONE.replace(b"a.ip", b"\xff"), STORED, "not a list"),
    ],
)
def test_any_other_backup_is_refused(text: bytes, stored: dict[str, int], why: str) -> None:
    with pytest.raises(UserError, match=why):
        compare(WHERE, text, stored)


@pytest.mark.parametrize(
    ("instance", "now", "is_fresh"),
    [
        (RUNNING, NOW, True),
        (RUNNING, NOW + timedelta(minutes=11), False),  # an hour after its end
        (RUNNING, NOW - timedelta(hours=1), False),  # it is of a time to come
        (replace(RUNNING, modified=NOW - timedelta(minutes=59)), NOW, False),  # of an earlier start
        # Stopped at ten: how long ago that was does not matter.
        (replace(RUNNING, status="Stopped", modified=NOW), NOW + timedelta(days=9), True),
        (replace(RUNNING, status="Stopped", modified=NOW + timedelta(hours=1)), NOW, False),
        (replace(RUNNING, status="Stopped", modified=NOW, created=NOW), NOW, False),  # another's
        (replace(RUNNING, status="Stopped", modified=NOW, created=None), NOW, False),
    ],
)
def test_a_backup_counts_if_it_is_of_the_last_hour_in_which_the_notebook_ran(
    instance: Instance, now: datetime, is_fresh: bool
) -> None:
    backup = compare(WHERE, DONE, STORED)
    if is_fresh:
        check_fresh(backup, instance, now)
    else:
        with pytest.raises(UserError, match="its backup is of 2026-11-29 09:10 UTC"):
            check_fresh(backup, instance, now)


def test_a_note_is_void_once_the_notebook_was_started_or_its_backup_is_another() -> None:
    backup = compare(WHERE, DONE, STORED)
    note = RetirementNote(NOW, NOW + timedelta(days=14), NOW, backup.ended)
    assert RetirementNote.parse(note.to_json(), "x") == note
    # Notes of earlier versions lie beside states.
    assert list(json.loads(note.to_json())) == ["since", "until", "stopped", "backup"]
    stopped = replace(RUNNING, status="Stopped", modified=NOW)
    assert still_holds(note, stopped)
    assert not still_holds(note, replace(stopped, modified=NOW + timedelta(seconds=1)))
    assert not still_holds(note, replace(stopped, status="InService"))
    check_unchanged(note, backup)
    with pytest.raises(UserError, match=r"not the one of 2026-11-29 09:10 UTC"):
        check_unchanged(note, replace(backup, ended=NOW))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{}",
        b'{"since": 1, "until": 1, "stopped": 1, "backup": 1}',
        RetirementNote(*[NOW.replace(tzinfo=None)] * 4).to_json(),
    ],
)
def test_what_is_no_note_is_refused(text: bytes) -> None:
    with pytest.raises(UserError, match="s3://b/k is no note"):
        RetirementNote.parse(text, "s3://b/k")
