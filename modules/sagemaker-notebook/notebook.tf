resource "aws_sagemaker_notebook_instance" "this" {
  # checkov:skip=CKV_AWS_22:AWS's own key encrypts the volume unless kms_key_id names one.
  # checkov:skip=CKV_AWS_187:AWS's own key encrypts the volume unless kms_key_id names one.
  # checkov:skip=CKV2_AWS_68:The role is made by another root, where its policies are checked.

  name                         = var.name
  instance_type                = var.instance_type
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
}
