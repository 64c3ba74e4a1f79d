"""The pictures in README: `make pictures`, a few minutes.

Runs the commands below in a copy of the repository, each in a real terminal. What the screens hold
at the end becomes docs/pictures/terminal.svg. A browser shows the report on that deployment, which
becomes docs/pictures/report.png.
"""

import itertools
import os
import re
import sys
import tempfile
from pathlib import Path

import ptyprocess
import pyte
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.style import Style
from rich.text import Text

from tests.report import chromium
from tests.trees import REPOSITORY, copy_repository

COLUMNS, ROWS = 100, 60
COMMANDS = ("tools demo", "tools status --local")
PICTURES = REPOSITORY / "docs" / "pictures"


def screen_after(command: str, root: Path) -> pyte.Screen:
    """What a terminal shows when the command has ended, run in `root` by a shell."""
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    process = ptyprocess.PtyProcess.spawn(
        ["bash", "-c", command],
        cwd=root,
        env={**os.environ, "PATH": path, "TERM": "xterm-256color"},
        dimensions=(ROWS, COLUMNS),
    )
    while True:
        try:
            stream.feed(process.read())
        except EOFError:
            break
    if process.wait():
        sys.exit("\n".join([f"error: {command} failed:", *screen.display]))
    return screen


def lines(screen: pyte.Screen) -> list[Text]:
    """The screen's lines in their colours, to the last that is not empty."""
    found = []
    for row in range(ROWS):
        line = Text()
        cells = (screen.buffer[row][column] for column in range(COLUMNS))
        for (colour, bold), run in itertools.groupby(cells, lambda cell: (cell.fg, cell.bold)):
            # pyte's names are those of the eight colours that a PC once had.
            named = {"default": None, "brown": "yellow"}.get(colour, colour)
            line.append("".join(cell.data for cell in run), Style(color=named, bold=bold))
        line.rstrip()
        found.append(line)
    while found and not found[-1].plain:
        found.pop()
    return found


def photograph(page: Path, picture: Path) -> None:
    """What a browser shows of a page."""
    browser = chromium.start()
    if browser is None:
        sys.exit(f"error: {chromium.MISSING}")
    try:
        browser.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})
        chromium.show(browser, page.as_uri(), width=1200, height=1200)
        browser.save_screenshot(str(picture))
    finally:
        browser.quit()


def main() -> None:
    with tempfile.TemporaryDirectory() as directory, Path(os.devnull).open("w") as nowhere:
        console = Console(width=COLUMNS, record=True, file=nowhere, force_terminal=True)
        root = copy_repository(Path(directory) / "notebooks")
        try:
            for command in COMMANDS:
                console.print(Text(f"$ {command}", Style(bold=True)))
                for line in lines(screen_after(command, root)):
                    if directory not in line.plain:  # which is of no interest
                        console.print(line)
                console.print()
            screen_after("tools report --local --output fleet.html", root)
            photograph(root / "fleet.html", PICTURES / "report.png")
        finally:
            screen_after("tools local down", root)
    # rich names fonts on a server; a picture in a page loads nothing, and has a font of its own.
    plain = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    svg = console.export_svg(title="tools", code_format=plain, unique_id="terminal")
    (PICTURES / "terminal.svg").write_text(svg)


if __name__ == "__main__":
    main()
