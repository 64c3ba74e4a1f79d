locals {
  # A bucket that is still to be made has no ARN: `terraform import` evaluates this before shared-infra/s3
  # is deployed.
  bucket_arns = [for arn in values(module.common.upstream.s3.bucket_arns) : arn if arn != null]
  object_arns = [for arn in local.bucket_arns : "${arn}/*"]
}

data "aws_iam_policy_document" "s3" {
  statement {
    sid = "ListSharedBuckets"
    actions = [
      "s3:GetBucketLocation",
      "s3:ListBucket",
      "s3:ListBucketMultipartUploads",
      "s3:ListBucketVersions",
    ]
    resources = local.bucket_arns
  }

  statement {
    sid       = "ReadSharedObjects"
    actions   = ["s3:GetObject", "s3:GetObjectTagging", "s3:GetObjectVersion"]
    resources = local.object_arns
  }

  # No s3:DeleteObjectVersion: what a notebook deletes by mistake can be brought back.
  statement {
    sid = "WriteSharedObjects"
    actions = [
      "s3:AbortMultipartUpload",
      "s3:DeleteObject",
      "s3:ListMultipartUploadParts",
      "s3:PutObject",
      "s3:PutObjectTagging",
    ]
    resources = local.object_arns
  }
}
