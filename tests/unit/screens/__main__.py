"""Writes the golden files of the screens again."""

import tempfile
from pathlib import Path

from tests.unit.screens.screens import GOLDEN, SCREENS, render

if __name__ == "__main__":
    for old in GOLDEN.glob("*.txt"):
        old.unlink()
    for name in SCREENS:
        with tempfile.TemporaryDirectory() as folder:
            (GOLDEN / f"{name}.txt").write_text(render(name, Path(folder)))
