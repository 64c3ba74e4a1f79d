variable "name" {
  type = string
}

variable "instance_type" {
  type = string
}

variable "role_arn" {
  type = string
}

variable "subnet_id" {
  type = string
}

variable "security_group_ids" {
  type = list(string)
}

variable "kms_key_id" {
  type = string
}

variable "tags" {
  type = map(string)
}

resource "aws_sagemaker_notebook_instance" "this" {
  name                   = var.name
  instance_type          = var.instance_type
  role_arn               = var.role_arn
  subnet_id              = var.subnet_id
  security_groups        = var.security_group_ids
  kms_key_id             = var.kms_key_id
  direct_internet_access = "Disabled"
  volume_size            = 30
  lifecycle_config_name  = aws_sagemaker_notebook_instance_lifecycle_configuration.this.name
  tags                   = var.tags
}

resource "aws_sagemaker_notebook_instance_lifecycle_configuration" "this" {
  name     = "${var.name}-start"
  on_start = base64encode("#!/bin/bash\nset -e\necho 'hello from ${var.name}'\n")
}
