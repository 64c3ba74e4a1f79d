# What goes through an endpoint whose policy nobody typed: requests of this account alone, so that
# no key brought into a notebook carries data out. Not for the way to Jupyter, where the signature
# is in the address, and no principal is known.
locals {
  account_policies = merge(
    { for service in var.interface_services : service => local.interface_policy if service != "notebook" },
    { s3 = data.aws_iam_policy_document.s3.json, sts = data.aws_iam_policy_document.sts.json },
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

  # Requests that a service of AWS signs: what runs in these subnets answers CloudFormation by such
  # an address in a bucket of AWS's, and a stack hangs without the answer. As in AWS's own policy:
  # https://github.com/aws-samples/data-perimeter-policy-examples (vpc_endpoint_policies/s3_endpoint_policy.json)
  # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/vpc-interface-endpoints.html
  statement {
    sid       = "AllowAWSServices"
    actions   = ["s3:*"]
    resources = ["*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:PrincipalIsAWSService"
      values   = ["true"]
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

# Who signs in with a token, as pods of EKS with a role for their service account do, has no account
# yet: only roles of this one can be had that way.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sts_vpc_endpoint_policies.html
data "aws_iam_policy_document" "sts" {
  source_policy_documents = [local.interface_policy]

  statement {
    sid     = "AllowTokensForRolesOfThisAccount"
    actions = ["sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"]
    resources = [join(":", [
      "arn", data.aws_partition.current.partition, "iam", "", data.aws_caller_identity.current.account_id, "role/*"
    ])]

    principals {
      type        = "*"
      identifiers = ["*"]
    }
  }
}
