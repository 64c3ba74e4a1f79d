# Made from templates/notebook/providers.tf.j2 by `tools new-notebook`; yours to edit.

provider "aws" {
  region = var.region

  default_tags {
    tags = {
      Project     = var.project
      ManagedBy   = "terraform"
      Stack       = local.stack
      Owner       = var.owner
      Purpose     = local.purpose_tag
      Environment = var.environment
    }
  }
}
