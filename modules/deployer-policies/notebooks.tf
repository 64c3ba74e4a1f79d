locals {
  notebooks = jsonencode({
    Version = local.version
    Statement = [
      {
        Sid       = "NewNotebooks"
        Effect    = "Allow"
        Action    = ["sagemaker:CreateNotebookInstance"]
        Resource  = local.instances
        Condition = local.if_new
      },
      {
        Sid      = "TagNewNotebooks"
        Effect   = "Allow"
        Action   = ["sagemaker:AddTags"]
        Resource = local.instances
        Condition = {
          StringEquals = {
            "aws:RequestTag/Project"  = var.project
            "sagemaker:TaggingAction" = "CreateNotebookInstance"
          }
        }
      },
      {
        Sid    = "Notebooks"
        Effect = "Allow"
        Action = [
          "sagemaker:AddTags",
          "sagemaker:DeleteNotebookInstance",
          "sagemaker:DeleteTags",
          "sagemaker:StartNotebookInstance",
          "sagemaker:StopNotebookInstance",
          "sagemaker:UpdateNotebookInstance",
        ]
        Resource  = local.instances
        Condition = local.if_own
      },
      # Older providers make these without tags.
      {
        Sid    = "Lifecycles"
        Effect = "Allow"
        Action = [
          "sagemaker:CreateNotebookInstanceLifecycleConfig",
          "sagemaker:DeleteNotebookInstanceLifecycleConfig",
          "sagemaker:UpdateNotebookInstanceLifecycleConfig",
        ]
        Resource = local.lifecycles
      },
      {
        Sid       = "TagNewLifecycles"
        Effect    = "Allow"
        Action    = ["sagemaker:AddTags"]
        Resource  = local.lifecycles
        Condition = local.if_new
      },
      {
        Sid       = "TagLifecycles"
        Effect    = "Allow"
        Action    = ["sagemaker:AddTags", "sagemaker:DeleteTags"]
        Resource  = local.lifecycles
        Condition = local.if_own
      },
      {
        Sid       = "PassRoles"
        Effect    = "Allow"
        Action    = ["iam:PassRole"]
        Resource  = [local.shared_role, local.isolated_roles]
        Condition = { StringEquals = { "iam:PassedToService" = "sagemaker.amazonaws.com" } }
      },
      {
        Sid      = "PlugIntoTheVpc"
        Effect   = "Allow"
        Action   = ["ec2:CreateNetworkInterface"]
        Resource = [for type in ["network-interface", "security-group", "subnet"] : "${local.ec2}:${type}/*"]
      },
      {
        Sid      = "UnplugFromTheVpc"
        Effect   = "Allow"
        Action   = ["ec2:DeleteNetworkInterface"]
        Resource = ["${local.ec2}:network-interface/*"]
      },
      {
        Sid       = "GrantVolumesTheirKeys"
        Effect    = "Allow"
        Action    = ["kms:CreateGrant"]
        Resource  = ["${local.kms}:key/*"]
        Condition = local.to_aws
      },
      # Only with its boundary is a role made, or given anything.
      {
        Sid       = "IsolatedRoles"
        Effect    = "Allow"
        Action    = local.role_actions
        Resource  = [local.isolated_roles]
        Condition = { ArnEquals = { "iam:PermissionsBoundary" = local.isolation_boundary } }
      },
      {
        Sid      = "TheirPolicies"
        Effect   = "Allow"
        Action   = ["iam:AttachRolePolicy", "iam:DetachRolePolicy"]
        Resource = [local.isolated_roles]
        Condition = {
          ArnEquals = { "iam:PermissionsBoundary" = local.isolation_boundary }
          ArnLike   = { "iam:PolicyARN" = local.own_policies }
        }
      },
      {
        Sid      = "TagRoles"
        Effect   = "Allow"
        Action   = ["iam:TagRole", "iam:UntagRole"]
        Resource = [local.isolated_roles]
      },
      {
        Sid      = "TrustOfIsolatedRoles"
        Effect   = "Allow"
        Action   = ["iam:UpdateAssumeRolePolicy"]
        Resource = [local.isolated_roles]
      },
    ]
  })

  role_actions = ["iam:CreateRole", "iam:DeleteRole", "iam:DeleteRolePolicy", "iam:PutRolePolicy"]
}
