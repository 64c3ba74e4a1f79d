# Made from templates/notebook/versions.tf.j2 by `tools new-notebook`; yours to edit.

terraform {
  required_version = ">= 1.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0, < 7.0"
    }
  }
}
