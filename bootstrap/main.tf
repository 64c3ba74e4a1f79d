# What all roots share: the checked common values, the tags and the guard.
module "common" {
  source = "../modules/common"

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
