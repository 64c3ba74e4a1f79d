# What all roots share: the checked common values, the tags and the guard.
module "common" {
  source = "../../modules/common"

  project      = var.project
  region       = var.region
  state_bucket = var.state_bucket
  state_prefix = var.state_prefix
}

provider "aws" {
  region = var.region

  default_tags {
    tags = module.common.tags
  }
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition

  # The issuer's host begins the names of the claims in conditions.
  issuer   = var.platform == "github" ? "token.actions.githubusercontent.com" : var.gitlab_host
  audience = var.platform == "github" ? "sts.amazonaws.com" : "https://${var.gitlab_host}"
  provider = coalesce(var.oidc_provider_arn, one(aws_iam_openid_connect_provider.this[*].arn), "none")

  # https://docs.github.com/en/actions/reference/security/oidc
  # https://docs.gitlab.com/ci/secrets/id_token_authentication
  subjects = {
    github = {
      plan   = ["repo:${var.repository}:pull_request", "repo:${var.repository}:ref:refs/heads/${var.branch}"]
      deploy = ["repo:${var.repository}:environment:${var.environment}"]
    }
    gitlab = {
      plan   = ["project_path:${var.repository}:ref_type:branch:ref:*"]
      deploy = ["project_path:${var.repository}:ref_type:branch:ref:${var.branch}"]
    }
  }
}
