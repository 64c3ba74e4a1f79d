# The module from another repository: by its address in git and a commit, so that a plan is the same tomorrow. Put
# your repository's address and its commit there.
terraform {
  required_version = ">= 1.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

module "notebook" {
  source = "git::https://example.com/ml.git//modules/sagemaker-notebook?ref=0a1b2c3d4e5f60718293a4b5c6d7e8f901234567"

  name               = "example"
  instance_type      = "ml.t3.medium"
  role_arn           = var.role_arn
  subnet_id          = var.subnet_id
  security_group_ids = var.security_group_ids
}
