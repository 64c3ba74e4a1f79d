"""The operating system: files, signals, processes, git."""
