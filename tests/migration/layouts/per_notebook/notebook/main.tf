variable "name" {}
variable "type" {}
variable "size" {}
variable "vpc" {}
variable "subnet" {}

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["sagemaker.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "this" {
  name               = "${var.name}-role"
  assume_role_policy = data.aws_iam_policy_document.assume.json
}

resource "aws_iam_role_policy_attachment" "this" {
  role       = aws_iam_role.this.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
}

resource "aws_security_group" "this" {
  name   = var.name
  vpc_id = var.vpc
}

resource "aws_vpc_security_group_egress_rule" "this" {
  security_group_id = aws_security_group.this.id
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_sagemaker_notebook_instance_lifecycle_configuration" "this" {
  name     = var.name
  on_start = base64encode("#!/bin/bash\necho ${var.name}\n")
}

resource "aws_sagemaker_notebook_instance" "this" {
  name                  = var.name
  instance_type         = var.type
  volume_size           = var.size
  role_arn              = aws_iam_role.this.arn
  subnet_id             = var.subnet
  security_groups       = [aws_security_group.this.id]
  lifecycle_config_name = aws_sagemaker_notebook_instance_lifecycle_configuration.this.name
}
