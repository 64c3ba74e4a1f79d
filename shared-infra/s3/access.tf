resource "aws_s3_bucket_public_access_block" "shared" {
  for_each = local.bucket_names

  bucket                  = local.bucket_ids[each.key]
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "shared" {
  for_each = local.bucket_names

  bucket = local.bucket_ids[each.key]

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

data "aws_iam_policy_document" "bucket" {
  for_each = local.bucket_names

  statement {
    sid       = "DenyPlainHttp"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = local.bucket_resources[each.key]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }

  # Whatever another account's administrator allows. AWS's own services act for this account: the
  # bucket's access logs come from one.
  statement {
    sid       = "DenyOtherAccounts"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = local.bucket_resources[each.key]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "StringNotEquals"
      variable = "aws:PrincipalAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }

    condition {
      test     = "BoolIfExists"
      variable = "aws:PrincipalIsAWSService"
      values   = ["false"]
    }
  }

  # Objects and their names, not the bucket's settings: whoever is locked out by a wrong endpoint
  # can still correct this policy.
  dynamic "statement" {
    for_each = var.only_through_vpc_endpoints == null ? [] : [var.only_through_vpc_endpoints]

    content {
      sid       = "DenyWaysAroundTheEndpoints"
      effect    = "Deny"
      actions   = local.data_actions
      resources = local.bucket_resources[each.key]

      principals {
        type        = "*"
        identifiers = ["*"]
      }

      condition {
        test     = "StringNotEquals"
        variable = "aws:SourceVpce"
        values   = statement.value.endpoint_ids
      }

      condition {
        test     = "ArnNotLike"
        variable = "aws:PrincipalArn"
        values   = statement.value.except_principal_arns
      }

      condition {
        test     = "BoolIfExists"
        variable = "aws:PrincipalIsAWSService"
        values   = ["false"]
      }

      condition {
        test     = "BoolIfExists"
        variable = "aws:ViaAWSService"
        values   = ["false"]
      }
    }
  }
}

# Denies more than its name says: another name would make it anew in an applied state, and the old
# one's removal could then come last.
resource "aws_s3_bucket_policy" "tls_only" {
  for_each = local.bucket_names

  bucket = local.bucket_ids[each.key]
  policy = data.aws_iam_policy_document.bucket[each.key].json

  # S3 refuses two changes of a bucket's access settings at once (OperationAborted).
  depends_on = [aws_s3_bucket_public_access_block.shared]
}

locals {
  bucket_resources = {
    for purpose, name in local.bucket_names :
    purpose => [for path in ["", "/*"] : "arn:${data.aws_partition.current.partition}:s3:::${name}${path}"]
  }

  data_actions = [
    "s3:AbortMultipartUpload",
    "s3:DeleteObject*",
    "s3:GetObject*",
    "s3:ListBucket",
    "s3:ListBucketMultipartUploads",
    "s3:ListBucketVersions",
    "s3:ListMultipartUploadParts",
    "s3:PutObject*",
    "s3:RestoreObject",
  ]
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}
