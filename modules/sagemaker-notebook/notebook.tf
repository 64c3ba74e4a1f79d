resource "aws_sagemaker_notebook_instance" "this" {
  # checkov:skip=CKV_AWS_22:AWS's own key encrypts the volume unless kms_key_id names one.
  # checkov:skip=CKV_AWS_187:AWS's own key encrypts the volume unless kms_key_id names one.
  # checkov:skip=CKV2_AWS_68:The role is made by another root, where its policies are checked.

  name                         = var.name
  instance_type                = local.instance_type
  platform_identifier          = var.platform_identifier
  role_arn                     = local.role_arn
  subnet_id                    = var.subnet_id
  security_groups              = var.security_group_ids
  direct_internet_access       = var.direct_internet_access ? "Enabled" : "Disabled"
  root_access                  = var.root_access ? "Enabled" : "Disabled"
  volume_size                  = var.volume_size
  kms_key_id                   = var.kms_key_id
  lifecycle_config_name        = local.lifecycle_configuration_name
  default_code_repository      = var.default_code_repository
  additional_code_repositories = var.additional_code_repositories
  tags                         = local.isolated ? merge(var.tags, { Notebook = local.isolated_name }) : var.tags

  instance_metadata_service_configuration {
    minimum_instance_metadata_service_version = var.imds_version
  }

  # AWS moves an instance to a newer platform in place, and the provider would replace it for that, volume and all:
  # https://github.com/hashicorp/terraform-provider-aws/issues/45830
  lifecycle {
    ignore_changes = [platform_identifier]
  }

  # SageMaker assumes the role, and may run on_create, as soon as there is an instance.
  depends_on = [aws_iam_role_policy_attachment.isolated, aws_iam_role_policy.own]
}

locals {
  # Amazon Linux 2023 has no drivers for these: https://docs.aws.amazon.com/sagemaker/latest/dg/nbi-al2.html
  # Terraform 1.0 knows no precondition: a failing conversion is what carries a message.
  is_retired_type = can(regex("^ml\\.(p2|p3|p3dn|inf1|g3|g3s)\\.", var.instance_type))
  instance_type = var.keep_retired_instance_type || !local.is_retired_type ? var.instance_type : tobool(join("", [
    "${var.instance_type} does not run Amazon Linux 2023, and AWS starts nothing older: choose a newer ",
    "instance_type, such as ml.g4dn.xlarge. For a notebook that exists and has this type, set ",
    "keep_retired_instance_type = true",
  ]))
}
