# An isolated role cannot leave its prefixes; this keeps the shared role out of them, which one role
# for many notebooks otherwise reaches like everything else. Denied by the marks of what is isolated
# (users/, and two hyphens after a name), not by names: a new notebook needs no change here.
data "aws_iam_policy_document" "fence" {
  statement {
    sid     = "LeaveTheirData"
    effect  = "Deny"
    actions = ["codecommit:*", "ecr:*", "logs:*", "s3:*", "sagemaker:*", "secretsmanager:*"]
    resources = concat(
      [for arn in local.bucket_arns : "${arn}/users/*"],
      [for type in local.sagemaker_named_types : "${local.sagemaker_arn}:${type}/*--*"],
      [
        "${local.code_arn}:${var.project}-users-*",
        "${local.ecr_arn}:${local.account_id}:repository/${var.project}/users/*",
        "${local.logs_arn}/*:log-stream:*--*",
        "${local.logs_arn}/Endpoints/*--*",
        "${local.secrets_arn}/users/*",
      ],
    )
  }

  statement {
    sid       = "LeaveTheirLists"
    effect    = "Deny"
    actions   = ["s3:ListBucket", "s3:ListBucketVersions"]
    resources = local.bucket_arns

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["users/*"]
    }
  }
}
