output "bucket_arns" {
  description = "ARNs of all shared buckets, by purpose."
  value = merge(
    { datasets = aws_s3_bucket.datasets.arn, models = aws_s3_bucket.models.arn },
    { for purpose, bucket in aws_s3_bucket.further : purpose => bucket.arn },
  )
}

output "bucket_names" {
  description = "Names of all shared buckets, by purpose."
  value = merge(
    { datasets = aws_s3_bucket.datasets.bucket, models = aws_s3_bucket.models.bucket },
    { for purpose, bucket in aws_s3_bucket.further : purpose => bucket.bucket },
  )
}

output "datasets_bucket_arn" {
  description = "ARN of the datasets bucket."
  value       = aws_s3_bucket.datasets.arn
}

output "datasets_bucket_name" {
  description = "Name of the datasets bucket."
  value       = aws_s3_bucket.datasets.bucket
}

output "kms_key_arns" {
  description = "The KMS key of buckets and of the volumes that ask for it, as a list; empty with AWS's own keys."
  value       = local.kms_key_arns
}

output "models_bucket_arn" {
  description = "ARN of the models bucket."
  value       = aws_s3_bucket.models.arn
}

output "models_bucket_name" {
  description = "Name of the models bucket."
  value       = aws_s3_bucket.models.bucket
}
