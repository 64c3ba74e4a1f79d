# The default VPC, adopted, and a role that another team made: it is read by a data source.

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

data "aws_iam_role" "theirs" {
  name = "${var.prefix}-theirs"
}

resource "aws_default_vpc" "default" {}

resource "aws_default_subnet" "first" {
  availability_zone = "${var.region}a"
}

data "aws_security_group" "default" {
  vpc_id = aws_default_vpc.default.id
  name   = "default"
}

resource "aws_iam_role_policy" "more" {
  name = "${var.prefix}-more"
  role = data.aws_iam_role.theirs.id

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "s3:ListAllMyBuckets", Resource = "*" }]
  })
}

resource "aws_sagemaker_notebook_instance" "this" {
  name            = "${var.prefix}-adhoc"
  instance_type   = "ml.t3.medium"
  role_arn        = data.aws_iam_role.theirs.arn
  subnet_id       = aws_default_subnet.first.id
  security_groups = [data.aws_security_group.default.id]
}
