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
  for_each = local.bucket_names

  bucket        = each.value
  force_destroy = var.force_destroy
}

resource "aws_s3_bucket_versioning" "shared" {
  for_each = aws_s3_bucket.shared

  bucket = each.value.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_logging" "shared" {
  for_each = { for purpose, bucket in aws_s3_bucket.shared : purpose => bucket if var.access_log_bucket != null }

  bucket        = each.value.id
  target_bucket = var.access_log_bucket
  target_prefix = "${each.value.bucket}/"
}
