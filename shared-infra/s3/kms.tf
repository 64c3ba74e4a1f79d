# Two ways to a key: one made here, or one that exists. Terraform 1.0 knows no precondition: a
# failing conversion is what carries a message.
locals {
  kms_key_arns = var.create_kms_key ? (
    var.kms_key_arn == null ? [aws_kms_key.shared[0].arn] : [tobool(
      "create_kms_key makes a key, and kms_key_arn names one: take one of them back"
    )]
  ) : compact([var.kms_key_arn])

  partition  = data.aws_partition.current.partition
  account_id = data.aws_caller_identity.current.account_id

  key_arn = one(local.kms_key_arns)

  # Every other service's name ends in amazonaws.com in China too.
  logs_suffix = data.aws_partition.current.partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com"
}

# Written out: in a key's policy the resource * is the key, which those who check policy documents
# take for everything.
locals {
  key_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      # IAM decides who in this account uses the key, as shared-infra/iam does for the notebooks.
      # Without this nobody could help whoever locks the account out.
      # https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
      {
        Sid       = "LeaveItToIam"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account_id}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      # SageMaker encrypts the volumes of notebooks and jobs by grants that EBS uses, made for
      # whoever creates them: https://docs.aws.amazon.com/sagemaker/latest/dg/key-management.html
      {
        Sid       = "GrantToAwsServicesAlone"
        Effect    = "Deny"
        Principal = { AWS = "*" }
        Action    = "kms:CreateGrant"
        Resource  = "*"
        Condition = { Bool = { "kms:GrantIsForAWSResource" = "false" } }
      },
      # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html, and in China
      # https://docs.amazonaws.cn/en_us/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
      {
        Sid       = "EncryptSageMakersLogs"
        Effect    = "Allow"
        Principal = { Service = "logs.${var.region}.${local.logs_suffix}" }
        Action    = ["kms:Decrypt", "kms:Describe*", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
        Resource  = "*"
        Condition = {
          ArnLike = {
            "kms:EncryptionContext:aws:logs:arn" = join(":", [
              "arn", local.partition, "logs", var.region, local.account_id, "log-group", "/aws/sagemaker/*",
            ])
          }
        }
      },
    ]
  })
}

resource "aws_kms_key" "shared" {
  count = var.create_kms_key ? 1 : 0

  description             = "Buckets, volumes and logs of ${var.project}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = local.key_policy
}

resource "aws_kms_alias" "shared" {
  count = var.create_kms_key ? 1 : 0

  name          = "alias/${var.project}"
  target_key_id = aws_kms_key.shared[0].key_id
}
