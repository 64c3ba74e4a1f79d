# Buckets with replication and object lock.

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

resource "aws_s3_bucket" "this" {
  for_each = { datasets = true, replica = false }

  bucket              = "${var.prefix}-${each.key}"
  object_lock_enabled = each.value
}

resource "aws_s3_bucket_versioning" "this" {
  for_each = aws_s3_bucket.this
  bucket   = each.value.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_object_lock_configuration" "this" {
  bucket = aws_s3_bucket.this["datasets"].id

  rule {
    default_retention {
      mode = "GOVERNANCE"
      days = 3
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_iam_role" "replication" {
  name = "${var.prefix}-replication"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Action    = "sts:AssumeRole"
      Effect    = "Allow"
      Principal = { Service = "s3.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "replication" {
  role = aws_iam_role.replication.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = "s3:Replicate*", Resource = "${aws_s3_bucket.this["replica"].arn}/*" },
      { Effect = "Allow", Action = "s3:Get*", Resource = "${aws_s3_bucket.this["datasets"].arn}/*" },
    ]
  })
}

resource "aws_s3_bucket_replication_configuration" "this" {
  bucket = aws_s3_bucket.this["datasets"].id
  role   = aws_iam_role.replication.arn

  rule {
    id     = "all"
    status = "Enabled"

    filter {}

    delete_marker_replication {
      status = "Disabled"
    }

    destination {
      bucket = aws_s3_bucket.this["replica"].arn
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_sagemaker_notebook_instance" "this" {
  name            = "${var.prefix}-reader"
  instance_type   = "ml.t3.medium"
  role_arn        = aws_iam_role.notebook.arn
  subnet_id       = module.network.subnet_id
  security_groups = [module.network.security_group_id]
}
