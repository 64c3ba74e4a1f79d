"""The terminal: progress, questions, tables."""
