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
        "${local.logs_arn}/*Jobs:log-stream:*--*",
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

  # With the role that an isolated notebook's model has.
  statement {
    sid       = "LeaveTheirModels"
    effect    = "Deny"
    actions   = local.model_using_actions
    resources = ["*"]

    condition {
      test     = "ArnLike"
      variable = "sagemaker:ModelArn"
      values   = ["arn:${local.partition}:sagemaker:*:*:model/*--*"]
    }
  }

  # What cannot be cut to some of them. The asterisk at the end is for the form that ends in :*.
  statement {
    sid       = "SearchNothing"
    effect    = "Deny"
    actions   = ["sagemaker:Search"]
    resources = ["*"]
  }

  statement {
    sid       = "FilterNoCommonLogs"
    effect    = "Deny"
    actions   = ["logs:FilterLogEvents"]
    resources = ["${local.logs_arn}/*Jobs*", "${local.logs_arn}/NotebookInstances*"]
  }
}
