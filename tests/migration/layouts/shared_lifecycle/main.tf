# One lifecycle configuration for all notebooks, from a template.

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

resource "aws_sagemaker_notebook_instance_lifecycle_configuration" "common" {
  name      = "${var.prefix}-common"
  on_create = base64encode(templatefile("${path.module}/create.sh.tpl", { env = "python3" }))
  on_start  = base64encode("#!/bin/bash\necho started\n")
}

resource "aws_sagemaker_notebook_instance" "team" {
  for_each = toset(["red", "blue", "green"])

  name                  = "${var.prefix}-${each.value}"
  instance_type         = "ml.t3.medium"
  role_arn              = aws_iam_role.notebook.arn
  subnet_id             = module.network.subnet_id
  security_groups       = [module.network.security_group_id]
  lifecycle_config_name = aws_sagemaker_notebook_instance_lifecycle_configuration.common.name

  lifecycle {
    ignore_changes = [instance_type]
  }
}
