"""Existing AWS resources brought into the stacks."""
