# Here and below the bucket is named by its address: checkov follows that, and not each.value.
resource "aws_s3_bucket_public_access_block" "shared" {
  for_each = aws_s3_bucket.shared

  bucket                  = aws_s3_bucket.shared[each.key].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "shared" {
  for_each = aws_s3_bucket.shared

  bucket = aws_s3_bucket.shared[each.key].id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

data "aws_iam_policy_document" "tls_only" {
  for_each = local.bucket_names

  statement {
    sid       = "DenyPlainHttp"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [for path in ["", "/*"] : "arn:${data.aws_partition.current.partition}:s3:::${each.value}${path}"]

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
}

resource "aws_s3_bucket_policy" "tls_only" {
  for_each = aws_s3_bucket.shared

  bucket = aws_s3_bucket.shared[each.key].id
  policy = data.aws_iam_policy_document.tls_only[each.key].json

  # S3 refuses two changes of a bucket's access settings at once (OperationAborted).
  depends_on = [aws_s3_bucket_public_access_block.shared]
}

data "aws_partition" "current" {}
