"""Taking what exists in AWS into the stacks: what would take it, and the taking."""
