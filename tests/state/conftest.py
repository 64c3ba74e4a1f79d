"""The fixtures of a checkout are those of tests/cli."""

from tests.cli.conftest import attached, checkout, small

__all__ = ["attached", "checkout", "small"]
