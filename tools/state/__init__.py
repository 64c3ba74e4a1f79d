"""States in an S3 bucket, shared by a team: made, moved, looked at, mended."""
