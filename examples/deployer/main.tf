# Managed policies for the role that deploys, attached to nobody. Whoever applies this administers IAM:
# it is no stack, and the deploying role does not need it any more. docs/permissions.md
terraform {
  required_version = ">= 1.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0, < 7.0"
    }
  }
}

variable "project" {
  description = "Project of the shared infrastructure, as in common.auto.tfvars."
  type        = string
}

variable "region" {
  description = "AWS region, as in common.auto.tfvars."
  type        = string
}

variable "state_bucket" {
  description = "S3 bucket that holds the states; null if each root keeps its state in its own directory."
  type        = string
  default     = null
}

variable "name_suffix" {
  description = "The name_suffix of shared-infra/iam, if it has one."
  type        = string
  default     = ""
}

variable "notebook_names" {
  description = "The notebooks, with * where wanted."
  type        = list(string)
  default     = ["*"]
}

provider "aws" {
  region = var.region
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

module "policies" {
  source = "../../modules/deployer-policies"

  account_id     = data.aws_caller_identity.current.account_id
  name_suffix    = var.name_suffix
  notebook_names = var.notebook_names
  partition      = data.aws_partition.current.partition
  project        = var.project
  region         = var.region
  state_bucket   = var.state_bucket
}

# By names that are known before anything is: the policies themselves are not.
resource "aws_iam_policy" "deployer" {
  for_each = toset(concat(
    ["network", "notebooks", "read", "roles", "schedules", "storage"],
    [for name in ["bootstrap", "state-read", "state-write"] : name if var.state_bucket != null],
  ))

  name        = "${var.project}-deployer-${each.key}"
  description = "For the role that deploys ${var.project}: ${each.key}"
  policy      = module.policies.policies[each.key]
}

output "policy_arns" {
  description = "ARNs of the policies, by name: read and state-read for a role that plans, all for one that deploys."
  value       = { for name, policy in aws_iam_policy.deployer : name => policy.arn }
}
