# Names and ARNs, and what more than one policy says. Each policy has a file; docs/permissions.md says
# what each is for. Which requests a deployment makes is recorded: tests/iam/deployer.
locals {
  account = "arn:${var.partition}:%s:${var.region}:${var.account_id}"
  ec2     = format(local.account, "ec2")
  events  = format(local.account, "scheduler")
  iam     = "arn:${var.partition}:iam::${var.account_id}"
  kms     = format(local.account, "kms")
  logs    = "${format(local.account, "logs")}:log-group:/aws/sagemaker/*"
  ml      = format(local.account, "sagemaker")
  tables  = "${format(local.account, "dynamodb")}:table/terraform-locks"

  bucket_names  = coalesce(var.bucket_names, ["${var.project}-datasets*", "${var.project}-models*"])
  bucket_arns   = [for name in local.bucket_names : "arn:${var.partition}:s3:::${name}"]
  state_bucket  = "arn:${var.partition}:s3:::${coalesce(var.state_bucket, "none")}"
  state_objects = "${local.state_bucket}/${var.state_prefix}/*"

  name_prefix        = join("-", compact([var.project, var.name_suffix]))
  isolation_boundary = "${local.iam}:policy/${local.name_prefix}-isolated-notebook-boundary"
  schedule_boundary  = "${local.iam}:policy/${local.name_prefix}-notebook-schedule-boundary"
  own_policies       = ["${local.iam}:policy/${local.name_prefix}-notebook-*", local.isolation_boundary]
  shared_role        = "${local.iam}:role/${coalesce(var.role_name, "${local.name_prefix}-notebook")}"
  isolated_roles     = "${local.iam}:role/${local.name_prefix}-notebook-*"

  # The module shortens a notebook's name to 28 characters there.
  short_names    = [for name in var.notebook_names : substr(name, 0, min(28, length(name)))]
  schedule_roles = [for name in local.short_names : replace("${local.iam}:role/${name}*-schedule-*", "**", "*")]

  instances  = [for name in var.notebook_names : "${local.ml}:notebook-instance/${name}"]
  lifecycles = [for name in var.notebook_names : "${local.ml}:notebook-instance-lifecycle-config/${name}"]
  groups     = [for name in var.notebook_names : "${local.events}:schedule-group/${name}"]
  schedule_arns = flatten([
    for name in var.notebook_names : [for verb in ["start", "stop"] : "${local.events}:schedule/${name}/${verb}"]
  ])

  # Of what has no name to go by. Whoever reads is not bound so: of what is gone AWS knows no tags, and
  # would answer "denied" where Terraform waits for "not found".
  if_own  = { StringEquals = { "aws:ResourceTag/Project" = var.project } }
  if_new  = { StringEquals = { "aws:RequestTag/Project" = var.project } }
  to_aws  = { Bool = { "kms:GrantIsForAWSResource" = "true" } }
  version = "2012-10-17"
}
