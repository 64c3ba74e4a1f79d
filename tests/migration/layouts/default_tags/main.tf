# Tags of everything by default_tags, some of which a resource says otherwise.

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

  default_tags {
    tags = {
      Owner       = "platform"
      CostCenter  = "4711"
      Project     = "old-project"
      environment = "Prod"
    }
  }
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

resource "aws_sagemaker_notebook_instance" "this" {
  name            = "${var.prefix}-tagged"
  instance_type   = "ml.t3.medium"
  role_arn        = aws_iam_role.notebook.arn
  subnet_id       = module.network.subnet_id
  security_groups = [module.network.security_group_id]
  tags            = { Owner = "carol", Purpose = "Forecasts" }

  instance_metadata_service_configuration {
    minimum_instance_metadata_service_version = "2"
  }
}

resource "aws_s3_bucket" "models" {
  bucket = "${var.prefix}-models"
  tags   = { Name = "models" }
}

resource "aws_vpc_endpoint" "logs" {
  vpc_id              = module.network.vpc_id
  vpc_endpoint_type   = "Interface"
  service_name        = "com.amazonaws.${var.region}.logs"
  subnet_ids          = [module.network.subnet_id]
  security_group_ids  = [module.network.security_group_id]
  private_dns_enabled = true
}
