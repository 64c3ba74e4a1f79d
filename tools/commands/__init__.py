"""The commands of `tools`: parse, call, print."""
