data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  role_name  = coalesce(var.role_name, "${local.name_prefix}-notebook")

  # Names of IAM and of budgets are the account's, not the region's.
  name_prefix = join("-", compact([var.project, var.name_suffix]))
}

data "aws_iam_policy_document" "trust" {
  statement {
    sid     = "SageMakerAssumesTheRole"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["sagemaker.amazonaws.com"]
    }

    dynamic "condition" {
      for_each = var.bind_trust_to_account ? ["aws:SourceAccount"] : []

      content {
        test     = "StringEquals"
        variable = condition.value
        values   = [local.account_id]
      }
    }
  }
}

resource "aws_iam_role" "notebook" {
  name                 = local.role_name
  path                 = var.role_path
  description          = "Shared by the ${var.project} SageMaker notebooks and the jobs they start"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  permissions_boundary = var.permissions_boundary_arn
}

# Inline, unlike the others: a second role that attached it could start jobs as this one.
resource "aws_iam_role_policy" "pass_itself" {
  name   = "pass-itself"
  role   = aws_iam_role.notebook.id
  policy = data.aws_iam_policy_document.pass_itself.json
}

data "aws_iam_policy_document" "pass_itself" {
  statement {
    sid       = "PassItselfToSageMaker"
    actions   = ["iam:PassRole"]
    resources = [aws_iam_role.notebook.arn]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["sagemaker.amazonaws.com"]
    }
  }
}
