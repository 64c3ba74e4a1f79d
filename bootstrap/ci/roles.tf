resource "aws_iam_role" "this" {
  for_each = toset(["plan", "deploy"])

  name                 = "${var.project}-ci-${each.key}"
  description          = "A pipeline's jobs that ${each.key} ${var.project}"
  assume_role_policy   = data.aws_iam_policy_document.trust[each.key].json
  max_session_duration = var.max_session_seconds
  permissions_boundary = var.permissions_boundary_arn
}

data "aws_iam_policy_document" "trust" {
  for_each = toset(["plan", "deploy"])

  statement {
    sid     = "Jobs"
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [local.provider]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:aud"
      values   = [local.audience]
    }

    # The names in these are checked to hold no wildcard; the plan role of GitLab has one, for branches.
    condition {
      test     = "StringLike"
      variable = "${local.issuer}:sub"
      values   = local.subjects[var.platform][each.key]
    }

    # The subject of a job with an environment names no branch. AWS reads GitHub's other claims since 2026:
    # https://aws.amazon.com/about-aws/whats-new/2026/01/aws-sts-supports-validation-identity-provider-claims/
    # In other partitions it may not, and then nobody could take the role.
    dynamic "condition" {
      for_each = each.key == "deploy" && var.platform == "github" && local.partition == "aws" ? ["ref"] : []

      content {
        test     = "StringEquals"
        variable = "${local.issuer}:${condition.value}"
        values   = ["refs/heads/${var.branch}"]
      }
    }
  }
}
