# For Terraform below 1.10, which knows no lock file beside the state.
# https://developer.hashicorp.com/terraform/language/backend/s3#dynamodb-state-locking
resource "aws_dynamodb_table" "locks" {
  # checkov:skip=CKV_AWS_119:It holds who works on which state, and a checksum; DynamoDB's own key encrypts it.

  count = var.lock_table ? 1 : 0

  name         = "terraform-locks"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "LockID"

  attribute {
    name = "LockID"
    type = "S"
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled = true
  }
}
