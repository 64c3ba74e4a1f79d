locals {
  bucket_settings = [
    "s3:GetAccelerateConfiguration",
    "s3:GetBucketAcl",
    "s3:GetBucketCORS",
    "s3:GetBucketLogging",
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketOwnershipControls",
    "s3:GetBucketPolicy",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketRequestPayment",
    "s3:GetBucketTagging",
    "s3:GetBucketVersioning",
    "s3:GetBucketWebsite",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:GetReplicationConfiguration",
    "s3:ListBucket",
    "s3:ListTagsForResource",
  ]

  # What every plan asks for.
  read = jsonencode({
    Version = local.version
    Statement = [
      { Sid = "Buckets", Effect = "Allow", Action = local.bucket_settings, Resource = local.bucket_arns },
      {
        Sid      = "Keys"
        Effect   = "Allow"
        Action   = ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags"]
        Resource = ["${local.kms}:key/*"]
      },
      { Sid = "LogGroups", Effect = "Allow", Action = ["logs:ListTagsForResource"], Resource = [local.logs] },
      {
        Sid    = "Roles"
        Effect = "Allow"
        Action = [
          "iam:GetRole",
          "iam:GetRolePolicy",
          "iam:ListAttachedRolePolicies",
          "iam:ListInstanceProfilesForRole",
          "iam:ListRolePolicies",
        ]
        Resource = concat([local.shared_role, local.isolated_roles], local.schedule_roles)
      },
      {
        Sid      = "Policies"
        Effect   = "Allow"
        Action   = ["iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListPolicyVersions"]
        Resource = local.own_policies
      },
      {
        Sid    = "Notebooks"
        Effect = "Allow"
        Action = [
          "sagemaker:DescribeNotebookInstance",
          "sagemaker:DescribeNotebookInstanceLifecycleConfig",
          "sagemaker:ListTags",
        ]
        Resource = concat(local.instances, local.lifecycles)
      },
      {
        Sid      = "Schedules"
        Effect   = "Allow"
        Action   = ["scheduler:GetSchedule", "scheduler:GetScheduleGroup", "scheduler:ListTagsForResource"]
        Resource = concat(local.groups, local.schedule_arns)
      },
      {
        Sid      = "Budget"
        Effect   = "Allow"
        Action   = ["budgets:ListTagsForResource", "budgets:ViewBudget"]
        Resource = ["arn:${var.partition}:budgets::${var.account_id}:budget/${local.name_prefix}-monthly"]
      },
      {
        Sid      = "VpcAndPrefixList"
        Effect   = "Allow"
        Action   = ["ec2:DescribeVpcAttribute", "ec2:GetManagedPrefixListEntries"]
        Resource = ["${local.ec2}:vpc/*", "arn:${var.partition}:ec2:${var.region}:aws:prefix-list/*"]
      },
      {
        Sid    = "WhatKnowsNoResources"
        Effect = "Allow"
        Action = [
          "ce:ListCostAllocationTags",
          "ec2:DescribeAddresses",
          "ec2:DescribeAddressesAttribute",
          "ec2:DescribeInternetGateways",
          "ec2:DescribeManagedPrefixLists",
          "ec2:DescribeNatGateways",
          "ec2:DescribeNetworkInterfaces",
          "ec2:DescribePrefixLists",
          "ec2:DescribeRouteTables",
          "ec2:DescribeSecurityGroupRules",
          "ec2:DescribeSecurityGroups",
          "ec2:DescribeSubnets",
          "ec2:DescribeVpcEndpointServices",
          "ec2:DescribeVpcEndpoints",
          "ec2:DescribeVpcs",
          "kms:ListAliases",
          "logs:DescribeLogGroups",
        ]
        Resource = ["*"]
      },
    ]
  })
}
