# What goes through an endpoint whose policy nobody typed: requests of this account alone, so that
# no key brought into a notebook carries data out. Not for the way to Jupyter, where the signature
# is in the address, and no principal is known.
locals {
  account_policies = merge(
    { s3 = data.aws_iam_policy_document.s3.json },
    { for service in var.interface_services : service => local.interface_policy if service != "notebook" },
  )

  # Written out: an endpoint's policy allows nothing by itself, which those who check policy
  # documents cannot know.
  interface_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AllowThisAccount"
      Effect    = "Allow"
      Principal = "*"
      Action    = "*"
      Resource  = "*"
      Condition = { StringEquals = { "aws:PrincipalAccount" = data.aws_caller_identity.current.account_id } }
    }]
  })
}

data "aws_caller_identity" "current" {}

data "aws_iam_policy_document" "s3" {
  statement {
    sid       = "AllowThisAccountItsBuckets"
    actions   = ["s3:*"]
    resources = ["*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:PrincipalAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }

  # Amazon Linux's packages, the layers of ECR's images and SageMaker's samples lie in AWS's
  # buckets, partly for unsigned requests: to be read, never written.
  statement {
    sid       = "ReadWhatOthersOffer"
    actions   = ["s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"]
    resources = ["*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "StringNotEquals"
      variable = "aws:ResourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}
