"""Runs `tools new-notebook`, and a shell command once the first directory is written.

python -m tests.cli.pausing COMMAND new-notebook --from-file FILE
"""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tools import cli
from tools.scaffold import render


def main() -> None:
    command, fill = sys.argv.pop(1), render._fill

    def fill_and_run(directory: Path, contents: Mapping[str, bytes]) -> None:
        render._fill = fill  # of the others
        fill(directory, contents)
        subprocess.run(["sh", "-c", command], check=True)

    render._fill = fill_and_run
    cli.main()


if __name__ == "__main__":
    main()
