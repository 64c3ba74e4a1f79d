resource "aws_s3_bucket_lifecycle_configuration" "shared" {
  for_each = local.bucket_names

  bucket = local.bucket_ids[each.key]

  rule {
    id     = "expire-noncurrent-versions"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = var.noncurrent_version_expiration_days
    }

    # A deleted object leaves a marker behind, which is of no use once its versions are gone.
    expiration {
      expired_object_delete_marker = true
    }
  }

  rule {
    id     = "abort-incomplete-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = var.abort_incomplete_upload_days
    }
  }

  dynamic "rule" {
    for_each = length(var.transitions) > 0 ? [var.transitions] : []

    content {
      id     = "move-to-cheaper-storage"
      status = "Enabled"

      filter {}

      dynamic "transition" {
        for_each = rule.value

        content {
          days          = transition.value.days
          storage_class = transition.value.storage_class
        }
      }
    }
  }

  # Noncurrent versions exist only where versioning is on.
  depends_on = [aws_s3_bucket_versioning.shared]
}
