# A role cannot tell which of its notebooks uses it: one that is to be kept within its own prefixes
# has a role of its own.
locals {
  isolated = var.isolation != null
  role_arn = local.isolated ? one(aws_iam_role.isolated[*].arn) : var.role_arn != null ? var.role_arn : tobool(
    "${var.name} has neither role_arn nor isolation: give it one of them"
  )

  # Terraform 1.0 knows no precondition: a failing conversion is what carries a message.
  isolated_name = (
    !local.isolated ? var.name :
    !can(regex("^[a-z0-9](-?[a-z0-9])*$", var.name)) ? tobool(join("", [
      "${var.name} cannot be isolated: two hyphens end its name in the names of its jobs, and AWS writes ARNs ",
      "in lower case, so that it takes lower-case letters, digits and single hyphens",
    ])) :
    length(local.isolated_role_name) > 64 ? tobool(join("", [
      "${var.name} cannot be isolated: its role would be ${local.isolated_role_name}, and IAM takes 64 characters; ",
      "choose a shorter name",
    ])) :
    var.name
  )
  isolated_role_name = "${local.isolated ? var.isolation.project : ""}-notebook-${var.name}"

  isolated_bucket_arns = local.isolated ? var.isolation.bucket_arns : []
}

data "aws_caller_identity" "current" {
  count = local.isolated ? 1 : 0
}

data "aws_partition" "current" {
  count = local.isolated ? 1 : 0
}

data "aws_iam_policy_document" "trust" {
  count = local.isolated ? 1 : 0

  statement {
    sid     = "SageMakerAssumesTheRole"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["sagemaker.amazonaws.com"]
    }

    dynamic "condition" {
      for_each = var.isolation.bind_trust_to_account ? ["aws:SourceAccount"] : []

      content {
        test     = "StringEquals"
        variable = condition.value
        values   = [data.aws_caller_identity.current[0].account_id]
      }
    }
  }
}

resource "aws_iam_role" "isolated" {
  count = local.isolated ? 1 : 0

  name                 = local.isolated_role_name
  description          = "Of the isolated notebook ${local.isolated_name} and the jobs it starts"
  assume_role_policy   = data.aws_iam_policy_document.trust[0].json
  permissions_boundary = var.isolation.permissions_boundary_arn

  # The boundary reads the tag: it bounds the role to what bears this name. The notebook has it too:
  # the shared role may not stop an instance with it.
  tags = merge(var.tags, { Notebook = local.isolated_name })
}

resource "aws_iam_role_policy_attachment" "isolated" {
  for_each = local.isolated ? var.isolation.policy_arns : {}

  role       = aws_iam_role.isolated[0].name
  policy_arn = each.value
}

resource "aws_iam_role_policy" "own" {
  count = local.isolated ? 1 : 0

  name   = "own-prefixes"
  role   = aws_iam_role.isolated[0].id
  policy = data.aws_iam_policy_document.own[0].json
}

data "aws_iam_policy_document" "own" {
  count = local.isolated ? 1 : 0

  statement {
    sid       = "LocateBuckets"
    actions   = ["s3:GetBucketLocation"]
    resources = local.isolated_bucket_arns
  }

  statement {
    sid       = "ListOwnAndShared"
    actions   = ["s3:ListBucket", "s3:ListBucketVersions"]
    resources = local.isolated_bucket_arns

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["shared/*", "users/${local.isolated_name}/*"]
    }
  }

  statement {
    sid       = "ReadShared"
    actions   = ["s3:GetObject", "s3:GetObjectTagging", "s3:GetObjectVersion"]
    resources = [for arn in local.isolated_bucket_arns : "${arn}/shared/*"]
  }

  # No s3:DeleteObjectVersion: what a notebook deletes by mistake can be brought back.
  statement {
    sid = "ReadAndWriteOwn"
    actions = [
      "s3:AbortMultipartUpload",
      "s3:DeleteObject",
      "s3:GetObject",
      "s3:GetObjectTagging",
      "s3:GetObjectVersion",
      "s3:ListMultipartUploadParts",
      "s3:PutObject",
      "s3:PutObjectTagging",
    ]
    resources = [for arn in local.isolated_bucket_arns : "${arn}/users/${local.isolated_name}/*"]
  }

  statement {
    sid     = "PassItselfToSageMaker"
    actions = ["iam:PassRole"]
    resources = [join(":", [
      "arn", data.aws_partition.current[0].partition, "iam", "", data.aws_caller_identity.current[0].account_id,
      "role/${local.isolated_role_name}",
    ])]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["sagemaker.amazonaws.com"]
    }
  }
}
