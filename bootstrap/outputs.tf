output "bucket" {
  description = "Name of the bucket that holds the states."
  value       = aws_s3_bucket.states.bucket
}

output "lock_table" {
  description = "Name of the lock table; null where states are locked by a file beside them alone."
  value       = one(aws_dynamodb_table.locks[*].name)
}
