# Notebooks in no VPC, as in most first steps, beside a bucket and a role.

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

resource "aws_iam_role_policy_attachment" "sagemaker" {
  role       = aws_iam_role.notebook.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
}

resource "aws_s3_bucket" "artifacts" {
  bucket = "${var.prefix}-artifacts"
}

resource "aws_s3_bucket_lifecycle_configuration" "artifacts" {
  bucket = aws_s3_bucket.artifacts.id

  rule {
    id     = "tmp"
    status = "Enabled"
    prefix = "tmp/"

    expiration {
      days = 7
    }
  }
}

resource "aws_sagemaker_notebook_instance" "this" {
  name          = "${var.prefix}-first"
  instance_type = "ml.t2.medium"
  role_arn      = aws_iam_role.notebook.arn
}
