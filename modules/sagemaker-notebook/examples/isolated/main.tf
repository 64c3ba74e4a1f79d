# A notebook with a role of its own, which writes under users/example/ in the buckets and nowhere else. Boundary and
# policies are those of shared-infra/iam: its output `isolation` has them.
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
  source = "../.."

  name               = "example"
  instance_type      = "ml.t3.medium"
  subnet_id          = var.subnet_id
  security_group_ids = var.security_group_ids

  isolation = {
    bind_trust_to_account    = true
    bucket_arns              = var.bucket_arns
    permissions_boundary_arn = var.permissions_boundary_arn
    policy_arns              = var.policy_arns
    project                  = var.project
  }
}
