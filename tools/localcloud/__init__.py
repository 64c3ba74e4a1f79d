"""LocalStack as a process on this machine, and the working copy that is deployed to it."""
