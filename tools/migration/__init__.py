"""From the state of an old deployment in one folder to the stacks of this repository."""
