"""Plans, applies and destroys stacks in the order of the graph."""
