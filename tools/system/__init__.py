"""The operating system: files, signals, processes, git, the user and their home."""
