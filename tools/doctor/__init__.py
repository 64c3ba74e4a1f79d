"""What stands in the way of a deployment, each thing in one line."""
