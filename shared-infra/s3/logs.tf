# SageMaker makes its log groups itself, unencrypted by a key of yours and kept for ever, at the
# first line that it writes. Only one that is made first, or imported, has a key and an end.
resource "aws_cloudwatch_log_group" "sagemaker" {
  # checkov:skip=CKV_AWS_158:AWS's own key encrypts unless create_kms_key makes one or kms_key_arn names one.

  for_each = var.log_groups

  name              = each.value
  kms_key_id        = local.key_arn
  retention_in_days = var.log_retention_days
}
