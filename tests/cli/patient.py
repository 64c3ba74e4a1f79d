"""Runs `tools` with all the time for an answer of AWS: the emulator of these tests is a busy one.

python -m tests.cli.patient init
"""

from tools import cli
from tools.aws import client


def main() -> None:
    client._HURRIED_SECONDS = 300
    cli.main()


if __name__ == "__main__":
    main()
