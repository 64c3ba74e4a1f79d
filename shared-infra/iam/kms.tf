locals {
  kms_key_arns = distinct(concat(module.common.upstream.s3.kms_key_arns, var.kms_key_arns))
}

data "aws_iam_policy_document" "kms" {
  statement {
    sid       = "UseKeys"
    actions   = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
    resources = local.kms_key_arns
  }

  # SageMaker hands the key on to EBS for the volumes of notebooks and jobs.
  statement {
    sid       = "GrantKeysToAwsServices"
    actions   = ["kms:CreateGrant"]
    resources = local.kms_key_arns

    condition {
      test     = "Bool"
      variable = "kms:GrantIsForAWSResource"
      values   = ["true"]
    }
  }
}
