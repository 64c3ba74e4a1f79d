"""States in a bucket that a team shares: creates it, moves, lists and restores states."""
