resource "aws_s3_bucket_server_side_encryption_configuration" "shared" {
  for_each = local.bucket_names

  bucket = local.bucket_ids[each.key]

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = length(local.kms_key_arns) == 0 ? "AES256" : "aws:kms"
      kms_master_key_id = local.key_arn
    }
  }
}
