# The same in two regions, by an alias of the provider.

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

provider "aws" {
  alias  = "far"
  region = "ap-southeast-2"
}

module "network" {
  source = "../network"
  prefix = var.prefix
}

module "network_far" {
  source    = "../network"
  prefix    = var.prefix
  providers = { aws = aws.far }
}

resource "aws_s3_bucket" "here" {
  bucket = "${var.prefix}-here"
}

resource "aws_s3_bucket" "far" {
  provider      = aws.far
  bucket        = "${var.prefix}-far"
  force_destroy = true
}

resource "aws_s3_bucket_public_access_block" "far" {
  provider            = aws.far
  bucket              = aws_s3_bucket.far.id
  block_public_policy = true
}

resource "aws_sagemaker_notebook_instance_lifecycle_configuration" "far" {
  provider = aws.far
  name     = "${var.prefix}-far"
  on_start = base64encode("#!/bin/bash\ntrue\n")
}

resource "aws_sagemaker_notebook_instance" "here" {
  name            = "${var.prefix}-here"
  instance_type   = "ml.t3.medium"
  role_arn        = aws_iam_role.notebook.arn
  subnet_id       = module.network.subnet_id
  security_groups = [module.network.security_group_id]
}

resource "aws_sagemaker_notebook_instance" "far" {
  provider              = aws.far
  name                  = "${var.prefix}-far"
  instance_type         = "ml.t3.medium"
  role_arn              = aws_iam_role.notebook.arn
  subnet_id             = module.network_far.subnet_id
  security_groups       = [module.network_far.security_group_id]
  lifecycle_config_name = aws_sagemaker_notebook_instance_lifecycle_configuration.far.name
}
