locals {
  schedules = jsonencode({
    Version = local.version
    Statement = [
      {
        Sid       = "PassRolesOfSchedules"
        Effect    = "Allow"
        Action    = ["iam:PassRole"]
        Resource  = local.schedule_roles
        Condition = { StringEquals = { "iam:PassedToService" = "scheduler.amazonaws.com" } }
      },
      {
        Sid       = "NewGroups"
        Effect    = "Allow"
        Action    = ["scheduler:CreateScheduleGroup", "scheduler:TagResource"]
        Resource  = local.groups
        Condition = local.if_new
      },
      {
        Sid       = "Groups"
        Effect    = "Allow"
        Action    = ["scheduler:DeleteScheduleGroup", "scheduler:TagResource", "scheduler:UntagResource"]
        Resource  = local.groups
        Condition = local.if_own
      },
      {
        Sid      = "Schedules"
        Effect   = "Allow"
        Action   = ["scheduler:CreateSchedule", "scheduler:DeleteSchedule", "scheduler:UpdateSchedule"]
        Resource = local.schedule_arns
      },
      {
        Sid       = "RolesOfSchedules"
        Effect    = "Allow"
        Action    = concat(local.role_actions, ["iam:PutRolePermissionsBoundary"])
        Resource  = local.schedule_roles
        Condition = { ArnEquals = { "iam:PermissionsBoundary" = local.schedule_boundary } }
      },
      {
        Sid       = "TagNewRoles"
        Effect    = "Allow"
        Action    = ["iam:TagRole"]
        Resource  = local.schedule_roles
        Condition = local.if_new
      },
      {
        Sid       = "TagRoles"
        Effect    = "Allow"
        Action    = ["iam:TagRole", "iam:UntagRole"]
        Resource  = local.schedule_roles
        Condition = local.if_own
      },
    ]
  })
}
