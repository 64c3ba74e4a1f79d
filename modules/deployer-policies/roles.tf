locals {
  # Whoever has this decides what the shared role may do.
  roles = jsonencode({
    Version = local.version
    Statement = [
      {
        Sid    = "SharedRole"
        Effect = "Allow"
        Action = [
          "iam:CreateRole",
          "iam:DeleteRole",
          "iam:DeleteRolePermissionsBoundary",
          "iam:DeleteRolePolicy",
          "iam:PutRolePermissionsBoundary",
          "iam:PutRolePolicy",
          "iam:TagRole",
          "iam:UpdateAssumeRolePolicy",
        ]
        Resource = [local.shared_role]
      },
      {
        Sid       = "ItsPolicies"
        Effect    = "Allow"
        Action    = ["iam:AttachRolePolicy", "iam:DetachRolePolicy"]
        Resource  = [local.shared_role]
        Condition = { ArnLike = { "iam:PolicyARN" = local.own_policies } }
      },
      {
        Sid    = "Policies"
        Effect = "Allow"
        Action = [
          "iam:CreatePolicy",
          "iam:CreatePolicyVersion",
          "iam:DeletePolicy",
          "iam:DeletePolicyVersion",
          "iam:TagPolicy",
        ]
        Resource = local.own_policies
      },
      {
        Sid      = "Budget"
        Effect   = "Allow"
        Action   = ["budgets:ModifyBudget", "budgets:TagResource"]
        Resource = ["arn:${var.partition}:budgets::${var.account_id}:budget/${local.name_prefix}-monthly"]
      },
      { Sid = "CostTags", Effect = "Allow", Action = ["ce:UpdateCostAllocationTagsStatus"], Resource = ["*"] },
    ]
  })
}
