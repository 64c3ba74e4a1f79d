# Made from templates/notebook/main.tf.j2 by `tools new-notebook`; yours to edit.

# What all roots share: the checked common values, the tags, the guard, and the states that this one reads.
module "common" {
  source = "../../modules/common"

  project      = var.project
  region       = var.region
  state_bucket = var.state_bucket
  state_prefix = var.state_prefix
  reads        = ["iam", "s3", "security-groups", "vpc-endpoints"]
}

provider "aws" {
  region = var.region

  default_tags {
    tags = merge(module.common.tags, {
      Owner       = var.owner
      Purpose     = local.purpose_tag
      Environment = var.environment
    })
  }
}

locals {
  # From the directory, so that a copied directory is another notebook.
  name = coalesce(var.name, basename(abspath(path.root)))

  on_create = var.on_create_file == null ? "" : file("${path.root}/${var.on_create_file}")
  on_start  = var.on_start_file == null ? "" : file("${path.root}/${var.on_start_file}")

  security_group_ids = length(var.security_group_ids) > 0 ? var.security_group_ids : [
    module.common.upstream.security_groups.notebook_security_group_id
  ]

  # Chosen in each notebook: a key that came by itself would replace every notebook that exists.
  kms_key_id = !var.use_shared_kms_key ? var.kms_key_id : (
    var.kms_key_id == null
    ? module.common.upstream.s3.kms_key_arns[0] # fails where shared-infra/s3 has no key
    : tobool("kms_key_id names a key, and use_shared_kms_key takes the shared one: take one of them back")
  )

  isolation = !var.isolated ? null : merge(module.common.upstream.iam.isolation, {
    bucket_arns = values(module.common.upstream.s3.bucket_arns)
    project = var.role_arn == null ? local.role_prefix : tobool(
      "role_arn names a role, and isolated makes one: take one of them back"
    )
  })

  # It would deny the start with a role that the project does not make. An older shared-infra/iam has none.
  schedule_boundary_arn = var.role_arn != null ? null : try(module.common.upstream.iam.schedule_boundary_arn, null)

  # Without the output the iam stack was applied before name_suffix, and has none.
  role_prefix = try(module.common.upstream.iam.name_prefix, var.project)

  # AWS allows fewer characters in a tag than a purpose may hold; the output `purpose` has them all.
  # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Tag.html
  purpose_tag = replace(var.purpose, "/[^\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]/", " ")
}

module "notebook" {
  source = "../../modules/sagemaker-notebook"

  name                         = local.name
  instance_type                = var.instance_type
  keep_retired_instance_type   = var.keep_retired_instance_type
  platform_identifier          = var.platform_identifier
  volume_size                  = var.volume_size
  kms_key_id                   = local.kms_key_id
  role_arn                     = coalesce(var.role_arn, module.common.upstream.iam.role_arn)
  isolation                    = local.isolation
  subnet_id                    = coalesce(var.subnet_id, module.common.upstream.vpc_endpoints.subnet_ids[0])
  security_group_ids           = local.security_group_ids
  direct_internet_access       = var.direct_internet_access
  root_access                  = var.root_access
  imds_version                 = var.imds_version
  default_code_repository      = var.default_code_repository
  additional_code_repositories = var.additional_code_repositories
  backup_bucket                = var.backup_hours > 0 ? module.common.upstream.s3.bucket_names["datasets"] : null
  backup_excludes              = var.backup_excludes
  backup_gb                    = var.backup_gb
  backup_hours                 = var.backup_hours
  backup_minutes               = var.backup_minutes
  idle_stop_minutes            = var.idle_stop_minutes
  idle_stop_weighs_processes   = var.idle_stop_weighs_processes
  schedule_boundary_arn        = local.schedule_boundary_arn
  schedule_days                = var.schedule_days
  schedule_start               = var.schedule_start
  schedule_stop                = var.schedule_stop
  schedule_timezone            = var.schedule_timezone
  on_create                    = local.on_create
  on_start                     = local.on_start
  tags                         = var.tags
}
