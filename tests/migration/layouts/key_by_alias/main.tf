# A key that volumes and the bucket name by its alias.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "prefix" {
  type = string
}

variable "region" {
  type = string
}

provider "aws" {
  region = var.region
}

module "network" {
  source = "../network"
  prefix = var.prefix
}

resource "aws_iam_role" "notebook" {
  name = "${var.prefix}-notebook"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Action    = "sts:AssumeRole"
      Effect    = "Allow"
      Principal = { Service = "sagemaker.amazonaws.com" }
    }]
  })
}

resource "aws_kms_key" "ml" {
  description             = "Volumes and data"
  deletion_window_in_days = 7
  enable_key_rotation     = true
}

resource "aws_kms_alias" "ml" {
  name          = "alias/${var.prefix}-ml"
  target_key_id = aws_kms_key.ml.key_id
}

resource "aws_sagemaker_notebook_instance" "alias" {
  name            = "${var.prefix}-alias"
  instance_type   = "ml.t3.medium"
  role_arn        = aws_iam_role.notebook.arn
  kms_key_id      = aws_kms_alias.ml.name
  subnet_id       = module.network.subnet_id
  security_groups = [module.network.security_group_id]
}

resource "aws_sagemaker_notebook_instance" "id" {
  name            = "${var.prefix}-id"
  instance_type   = "ml.t3.medium"
  role_arn        = aws_iam_role.notebook.arn
  kms_key_id      = aws_kms_key.ml.id
  subnet_id       = module.network.subnet_id
  security_groups = [module.network.security_group_id]
}

resource "aws_s3_bucket" "data" {
  bucket = "${var.prefix}-training-data"
}

resource "aws_s3_bucket_server_side_encryption_configuration" "data" {
  bucket = aws_s3_bucket.data.bucket

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_alias.ml.name
    }
  }
}
