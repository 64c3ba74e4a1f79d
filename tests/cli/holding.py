"""Runs `tools` as if a built-in resource held data: a real one would need AWS and its provider.

python -m tests.cli.holding deploy --local
"""

from tools import cli
from tools.engine import plans
from tools.state import file

TYPE = "terraform_data"


def main() -> None:
    plans.HOLDS_DATA = file.HOLDS_DATA = file.HOLDS_DATA | {TYPE}
    cli.main()


if __name__ == "__main__":
    main()
