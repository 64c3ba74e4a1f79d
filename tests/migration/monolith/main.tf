# A deployment as it grows in one folder, for tests of `tools migrate`: everything has one state.

terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

variable "prefix" {
  type = string
}

provider "aws" {
  region = "us-east-1"

  default_tags {
    tags = {
      Team = "research"
    }
  }
}

data "aws_caller_identity" "current" {}

module "notebook" {
  source   = "./notebook"
  for_each = { alice = "ml.t3.medium", bob = "ml.t3.large" }

  name               = "${var.prefix}-${each.key}"
  instance_type      = each.value
  role_arn           = aws_iam_role.sagemaker.arn
  subnet_id          = aws_subnet.private[0].id
  security_group_ids = [aws_security_group.notebook.id]
  kms_key_id         = each.key == "bob" ? aws_kms_key.volumes.arn : null

  tags = {
    Owner   = each.key
    Purpose = "Experiments of ${each.key}"
  }
}

resource "aws_kms_key" "volumes" {
  description             = "Volumes of the notebooks"
  deletion_window_in_days = 7
}

output "kms_key_arn" {
  value = aws_kms_key.volumes.arn
}

output "subnet_ids" {
  value = aws_subnet.private[*].id
}

output "vpc_id" {
  value = aws_vpc.main.id
}
