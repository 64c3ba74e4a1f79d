output "bucket_arns" {
  description = "ARNs of all shared buckets, by purpose."
  value       = { for purpose, bucket in aws_s3_bucket.shared : purpose => bucket.arn }
}

output "bucket_names" {
  description = "Names of all shared buckets, by purpose."
  value       = { for purpose, bucket in aws_s3_bucket.shared : purpose => bucket.bucket }
}

# one() and not an index: while one bucket is imported, the others are not there yet.
output "datasets_bucket_arn" {
  description = "ARN of the datasets bucket."
  value       = one([for purpose, bucket in aws_s3_bucket.shared : bucket.arn if purpose == "datasets"])
}

output "datasets_bucket_name" {
  description = "Name of the datasets bucket."
  value       = one([for purpose, bucket in aws_s3_bucket.shared : bucket.bucket if purpose == "datasets"])
}

output "kms_key_arns" {
  description = "The KMS key that encrypts the buckets, and the volumes of notebooks that ask for it, as a list; empty with AWS's own keys."
  value       = local.kms_key_arns
}

output "models_bucket_arn" {
  description = "ARN of the models bucket."
  value       = one([for purpose, bucket in aws_s3_bucket.shared : bucket.arn if purpose == "models"])
}

output "models_bucket_name" {
  description = "Name of the models bucket."
  value       = one([for purpose, bucket in aws_s3_bucket.shared : bucket.bucket if purpose == "models"])
}
