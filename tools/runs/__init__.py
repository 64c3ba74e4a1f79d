"""A run as a person sees it: questions, progress, summary, report file."""
