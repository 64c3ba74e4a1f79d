"""AWS: the only user of boto3."""
