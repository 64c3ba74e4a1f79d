"""The length of Terraform's lines: `terraform fmt` leaves long ones as they are."""

from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from tests.trees import REPOSITORY, tracked

LONGEST = 120
FORMS = ("*.tf", "*.tf.j2", "*.tftpl", "*.tfvars*")
# What was released, and what others would bring: neither is ours to break.
AS_IT_WAS = ("templates/earlier/", "tests/")


def long_lines(root: Path, names: list[str]) -> Iterator[str]:
    for name in names:
        if any(fnmatch(name, form) for form in FORMS) and not name.startswith(AS_IT_WAS):
            for number, line in enumerate((root / name).read_text().splitlines(), start=1):
                if len(line) > LONGEST:
                    yield f"{name}:{number}: {len(line)} characters"


def test_no_line_is_too_long() -> None:
    assert list(long_lines(REPOSITORY, tracked())) == []


def test_a_long_line_is_named(tmp_path: Path) -> None:
    names = ["a.tf", "b.tf.j2", "c.sh.tftpl", "d.tfvars.example", "e.py", "tests/f.tf"]
    (tmp_path / "tests").mkdir()
    for name in names:
        (tmp_path / name).write_text(f"{'é' * LONGEST}\n{'é' * (LONGEST + 1)}\n")
    assert list(long_lines(tmp_path, names)) == [f"{name}:2: 121 characters" for name in names[:4]]
