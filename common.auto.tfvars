# Every root under shared-infra/ and notebooks/ reads this file through a symbolic link. `tools init` fills it in,
# or take the # from a line and edit it. What is not set here Terraform takes from the root's terraform.tfvars,
# and asks for otherwise; what is set here counts before that.

# Begins the name of everything that is made: <project>-datasets, <project>-notebook, ...
# 2 to 32 lower-case letters, digits and hyphens. Bucket names are global: choose one of your own.
# project = "acme-ml"

# AWS region that everything is made in.
# region = "us-east-1"

# S3 bucket that holds the Terraform states. null: each root keeps its state in its own folder.
# state_bucket = null

# Begins the keys of the states in that bucket.
# state_prefix = "ml-infra"
