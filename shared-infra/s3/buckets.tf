locals {
  bucket_names = merge(
    {
      for purpose in ["datasets", "models"] :
      purpose => join("-", compact([var.project, purpose, var.bucket_suffix]))
    },
    var.bucket_names,
  )
  further_names = {
    for purpose, name in local.bucket_names :
    purpose => name if !contains(["datasets", "models"], purpose)
  }

  # Attributes and not whole buckets: those hold deprecated ones, of which OpenTofu warns.
  bucket_ids = merge(
    { datasets = aws_s3_bucket.datasets.id, models = aws_s3_bucket.models.id },
    { for purpose, bucket in aws_s3_bucket.further : purpose => bucket.id },
  )
}

resource "aws_s3_bucket" "datasets" {
  # checkov:skip=CKV_AWS_18:Access logs need a bucket that the account chooses, access_log_bucket.
  # checkov:skip=CKV_AWS_144:A copy in another region doubles the price; versions bring back what is lost by mistake.
  # checkov:skip=CKV_AWS_145:S3's own keys encrypt unless kms_key_arn names one, which is paid by the request.
  # checkov:skip=CKV2_AWS_62:Nothing here listens to events.

  bucket        = local.bucket_names["datasets"]
  force_destroy = var.force_destroy
}

resource "aws_s3_bucket" "models" {
  # checkov:skip=CKV_AWS_18:Access logs need a bucket that the account chooses, access_log_bucket.
  # checkov:skip=CKV_AWS_144:A copy in another region doubles the price; versions bring back what is lost by mistake.
  # checkov:skip=CKV_AWS_145:S3's own keys encrypt unless kms_key_arn names one, which is paid by the request.
  # checkov:skip=CKV2_AWS_62:Nothing here listens to events.

  bucket        = local.bucket_names["models"]
  force_destroy = var.force_destroy
}

resource "aws_s3_bucket" "further" {
  # checkov:skip=CKV_AWS_144:A copy in another region doubles the price; versions bring back what is lost by mistake.
  # checkov:skip=CKV_AWS_145:S3's own keys encrypt unless kms_key_arn names one, which is paid by the request.
  # checkov:skip=CKV2_AWS_62:Nothing here listens to events.

  for_each = local.further_names

  bucket        = each.value
  force_destroy = var.force_destroy
}

resource "aws_s3_bucket_versioning" "shared" {
  for_each = local.bucket_names

  bucket = local.bucket_ids[each.key]

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_logging" "shared" {
  for_each = { for purpose, name in local.bucket_names : purpose => name if var.access_log_bucket != null }

  bucket        = local.bucket_ids[each.key]
  target_bucket = var.access_log_bucket
  target_prefix = "${each.value}/"
}
