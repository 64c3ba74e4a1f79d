resource "aws_s3_bucket" "states" {
  # checkov:skip=CKV_AWS_18:Who reads and writes states is in CloudTrail's data events, which the account chooses.
  # checkov:skip=CKV_AWS_144:A copy in another region would be a state that nobody locks; older versions are kept.
  # checkov:skip=CKV_AWS_145:S3's own keys encrypt; a key of one's own would have to be given to everybody who plans.
  # checkov:skip=CKV2_AWS_62:Nothing here listens to events.

  bucket = var.bucket

  # With it every state would be gone, and with them what Terraform knows of all that is deployed.
  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_versioning" "states" {
  bucket = aws_s3_bucket.states.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "states" {
  bucket = aws_s3_bucket.states.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_public_access_block" "states" {
  bucket = aws_s3_bucket.states.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "states" {
  bucket = aws_s3_bucket.states.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_policy" "states" {
  bucket = aws_s3_bucket.states.id
  policy = data.aws_iam_policy_document.states.json

  # S3 refuses two changes of a bucket's access settings at once (OperationAborted).
  depends_on = [aws_s3_bucket_public_access_block.states]
}

data "aws_iam_policy_document" "states" {
  statement {
    sid       = "DenyPlainHttp"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.states.arn, "${aws_s3_bucket.states.arn}/*"]

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

resource "aws_s3_bucket_lifecycle_configuration" "states" {
  bucket = aws_s3_bucket.states.id

  rule {
    id     = "expire-old-versions"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days           = var.noncurrent_version_expiration_days
      newer_noncurrent_versions = var.noncurrent_versions_kept
    }

    # Every lock file that is taken away leaves a marker.
    expiration {
      expired_object_delete_marker = true
    }
  }

  rule {
    id     = "abort-incomplete-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  # Plans and reports of a pipeline (tools/pipelines/store.py). A plan holds secret values.
  rule {
    id     = "expire-plans"
    status = "Enabled"

    filter {
      prefix = "pipeline/"
    }

    expiration {
      days = var.plan_expiration_days
    }

    noncurrent_version_expiration {
      noncurrent_days = 1
    }
  }

  # Noncurrent versions exist only where versioning is on.
  depends_on = [aws_s3_bucket_versioning.states]
}
