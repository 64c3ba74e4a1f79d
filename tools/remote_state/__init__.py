"""States in a bucket that a team shares: made, moved, listed, restored."""
