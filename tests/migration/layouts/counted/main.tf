# Notebooks by count, with names from a list, as before for_each.

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

variable "names" {
  default = ["one", "two"]
}

resource "aws_sagemaker_notebook_instance" "nb" {
  count = length(var.names)

  name                   = "${var.prefix}-${element(var.names, count.index)}"
  instance_type          = count.index == 0 ? "ml.t2.medium" : "ml.m5.xlarge"
  role_arn               = aws_iam_role.notebook.arn
  subnet_id              = module.network.subnet_id
  security_groups        = [module.network.security_group_id]
  direct_internet_access = "Disabled"
  root_access            = "Disabled"
}

resource "aws_s3_bucket" "team" {
  count         = length(var.names)
  bucket        = "${var.prefix}-${var.names[count.index]}-data"
  force_destroy = true
}
