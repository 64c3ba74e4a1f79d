resource "aws_s3_bucket" "data" {
  bucket = "${var.prefix}-data"
}

resource "aws_s3_bucket_versioning" "data" {
  bucket = aws_s3_bucket.data.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_object" "readme" {
  bucket  = aws_s3_bucket.data.id
  key     = "shared/README.txt"
  content = "Put what everybody reads under shared/."
}

resource "aws_s3_bucket" "this" {
  for_each = toset(["models"])

  bucket = "${var.prefix}-${each.key}"
}

resource "aws_s3_bucket_public_access_block" "this" {
  for_each = aws_s3_bucket.this

  bucket                  = each.value.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}
