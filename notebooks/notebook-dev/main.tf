# Made from templates/notebook/main.tf.j2 by `tools new-notebook`; yours to edit.

module "notebook" {
  source = "../../modules/sagemaker-notebook"

  name                         = local.name
  instance_type                = var.instance_type
  keep_retired_instance_type   = var.keep_retired_instance_type
  platform_identifier          = var.platform_identifier
  volume_size                  = var.volume_size
  kms_key_id                   = local.kms_key_id
  role_arn                     = coalesce(var.role_arn, data.terraform_remote_state.iam.outputs.role_arn)
  isolation                    = local.isolation
  subnet_id                    = coalesce(var.subnet_id, data.terraform_remote_state.vpc_endpoints.outputs.subnet_ids[0])
  security_group_ids           = length(var.security_group_ids) > 0 ? var.security_group_ids : [data.terraform_remote_state.security_groups.outputs.notebook_security_group_id]
  direct_internet_access       = var.direct_internet_access
  root_access                  = var.root_access
  imds_version                 = var.imds_version
  default_code_repository      = var.default_code_repository
  additional_code_repositories = var.additional_code_repositories
  idle_stop_minutes            = var.idle_stop_minutes
  schedule_days                = var.schedule_days
  schedule_start               = var.schedule_start
  schedule_stop                = var.schedule_stop
  schedule_timezone            = var.schedule_timezone
  on_create                    = local.on_create
  on_start                     = local.on_start
  tags                         = var.tags
}
