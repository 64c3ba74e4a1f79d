module "deployer" {
  source = "../../modules/deployer-policies"

  account_id     = local.account
  name_suffix    = var.name_suffix
  notebook_names = var.notebook_names
  partition      = local.partition
  project        = var.project
  region         = var.region
  state_bucket   = var.state_bucket
  state_prefix   = var.state_prefix
}

locals {
  # By names that are known before anything is. With `pipeline`, as many as IAM attaches to a role by
  # default, less one; `bootstrap` stays with administrators.
  reading = ["read", "state-read"]
  writing = concat(local.reading, ["network", "notebooks", "roles", "schedules", "state-write", "storage"])
  attached = merge(
    { for name in local.reading : "plan/${name}" => { role = "plan", policy = name } },
    { for name in local.writing : "deploy/${name}" => { role = "deploy", policy = name } },
    { for role in ["plan", "deploy"] : "${role}/pipeline" => { role = role, policy = "pipeline" } },
  )
  pipeline_objects = "arn:${local.partition}:s3:::${var.state_bucket}/pipeline/${var.state_prefix}/*"
}

# Plans and reports of the pipeline. Whoever plans writes them: what is applied is what was approved, by
# its digest (docs/pipelines.md).
data "aws_iam_policy_document" "pipeline" {
  statement {
    sid       = "PlansAndReports"
    actions   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
    resources = [local.pipeline_objects]
  }
}

resource "aws_iam_policy" "this" {
  for_each = toset(concat(local.writing, ["pipeline"]))

  name        = "${var.project}-ci-${each.key}"
  description = "For the pipeline of ${var.project}: ${each.key}"
  policy      = each.key == "pipeline" ? data.aws_iam_policy_document.pipeline.json : module.deployer.policies[each.key]
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each = local.attached

  role       = aws_iam_role.this[each.value.role].name
  policy_arn = aws_iam_policy.this[each.value.policy].arn
}
