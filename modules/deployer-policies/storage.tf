locals {
  storage = jsonencode({
    Version = local.version
    Statement = [
      {
        Sid    = "Buckets"
        Effect = "Allow"
        Action = [
          "s3:CreateBucket",
          "s3:DeleteBucket",
          "s3:DeleteBucketPolicy",
          "s3:PutBucketLogging",
          "s3:PutBucketOwnershipControls",
          "s3:PutBucketPolicy",
          "s3:PutBucketPublicAccessBlock",
          "s3:PutBucketTagging",
          "s3:PutBucketVersioning",
          "s3:PutEncryptionConfiguration",
          "s3:PutLifecycleConfiguration",
          "s3:TagResource",
        ]
        Resource = local.bucket_arns
      },
      {
        Sid      = "LogGroups"
        Effect   = "Allow"
        Action   = ["logs:DeleteLogGroup", "logs:PutRetentionPolicy"]
        Resource = [local.logs]
      },
      {
        Sid       = "NewLogGroups"
        Effect    = "Allow"
        Action    = ["logs:CreateLogGroup", "logs:TagResource"]
        Resource  = [local.logs]
        Condition = local.if_new
      },
      {
        Sid       = "NewKey"
        Effect    = "Allow"
        Action    = ["kms:CreateKey"]
        Resource  = ["*"] # it has no name before it is made
        Condition = local.if_new
      },
      {
        Sid       = "TagNewKey"
        Effect    = "Allow"
        Action    = ["kms:TagResource"]
        Resource  = ["${local.kms}:key/*"]
        Condition = local.if_new
      },
      {
        Sid    = "Key"
        Effect = "Allow"
        Action = [
          "kms:CreateAlias",
          "kms:DeleteAlias",
          "kms:EnableKeyRotation",
          "kms:PutKeyPolicy",
          "kms:ScheduleKeyDeletion",
        ]
        Resource  = ["${local.kms}:key/*"]
        Condition = local.if_own
      },
      {
        Sid      = "Alias"
        Effect   = "Allow"
        Action   = ["kms:CreateAlias", "kms:DeleteAlias"]
        Resource = ["${local.kms}:alias/${var.project}"]
      },
    ]
  })
}
