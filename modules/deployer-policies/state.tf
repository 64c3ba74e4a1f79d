locals {
  # Without s3:ListBucket, AWS says of a state that is not there yet that it is forbidden.
  state_read = jsonencode({
    Version = local.version
    Statement = [
      { Sid = "FindStates", Effect = "Allow", Action = ["s3:ListBucket"], Resource = [local.state_bucket] },
      { Sid = "ReadStates", Effect = "Allow", Action = ["s3:GetObject"], Resource = [local.state_objects] },
    ]
  })

  state_write = jsonencode({
    Version = local.version
    Statement = [
      { Sid = "WriteStates", Effect = "Allow", Action = ["s3:PutObject"], Resource = [local.state_objects] },
      { Sid = "Unlock", Effect = "Allow", Action = ["s3:DeleteObject"], Resource = ["${local.state_objects}.tflock"] },
      {
        Sid      = "LockInTheTable"
        Effect   = "Allow"
        Action   = ["dynamodb:DeleteItem", "dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:PutItem"]
        Resource = [local.tables]
      },
    ]
  })

  # The bucket itself, which `bootstrap` makes; nothing that deletes it.
  bootstrap = jsonencode({
    Version = local.version
    Statement = [
      { Sid = "ReadTheBucket", Effect = "Allow", Action = local.bucket_settings, Resource = [local.state_bucket] },
      {
        Sid    = "MakeTheBucket"
        Effect = "Allow"
        Action = [
          "s3:CreateBucket",
          "s3:PutBucketOwnershipControls",
          "s3:PutBucketPolicy",
          "s3:PutBucketPublicAccessBlock",
          "s3:PutBucketTagging",
          "s3:PutBucketVersioning",
          "s3:PutEncryptionConfiguration",
          "s3:PutLifecycleConfiguration",
          "s3:TagResource",
        ]
        Resource = [local.state_bucket]
      },
    ]
  })
}
