locals {
  bucket_names = merge(
    {
      for purpose in ["datasets", "models"] :
      purpose => join("-", compact([var.project, purpose, var.bucket_suffix]))
    },
    var.bucket_names,
  )
}

resource "aws_s3_bucket" "shared" {
  # checkov:skip=CKV_AWS_18:Access logs need a bucket that the account chooses, access_log_bucket.
  # checkov:skip=CKV_AWS_144:A copy in another region doubles the price and takes data out of its region; versions bring back what is lost by mistake.
  # checkov:skip=CKV_AWS_145:S3's own keys encrypt unless kms_key_arn names one, which is paid by the request.
  # checkov:skip=CKV2_AWS_62:Nothing here listens to events.

  for_each = local.bucket_names

  bucket        = each.value
  force_destroy = var.force_destroy
}

# By name here and below, and not by bucket: a bucket as a whole holds deprecated attributes, of which
# OpenTofu warns wherever it is used. Each resource still waits for its bucket, whose id it takes.
resource "aws_s3_bucket_versioning" "shared" {
  for_each = local.bucket_names

  bucket = aws_s3_bucket.shared[each.key].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_logging" "shared" {
  for_each = { for purpose, name in local.bucket_names : purpose => name if var.access_log_bucket != null }

  bucket        = aws_s3_bucket.shared[each.key].id
  target_bucket = var.access_log_bucket
  target_prefix = "${each.value}/"
}
