"""The repository on disk: its stacks, what they read of each other, their variables."""
