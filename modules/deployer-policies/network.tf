locals {
  network = jsonencode({
    Version = local.version
    Statement = [
      {
        Sid       = "NewOnes"
        Effect    = "Allow"
        Action    = ["ec2:CreateSecurityGroup", "ec2:CreateVpcEndpoint"]
        Resource  = ["${local.ec2}:security-group/*", "${local.ec2}:vpc-endpoint/*"]
        Condition = local.if_new
      },
      {
        Sid      = "InTheVpc"
        Effect   = "Allow"
        Action   = ["ec2:CreateSecurityGroup", "ec2:CreateVpcEndpoint"]
        Resource = ["${local.ec2}:vpc/*"]
      },
      {
        Sid      = "InItsSubnets"
        Effect   = "Allow"
        Action   = ["ec2:CreateVpcEndpoint"]
        Resource = ["${local.ec2}:route-table/*", "${local.ec2}:subnet/*"]
      },
      {
        Sid       = "WithOwnGroups"
        Effect    = "Allow"
        Action    = ["ec2:CreateVpcEndpoint"]
        Resource  = ["${local.ec2}:security-group/*"]
        Condition = local.if_own
      },
      {
        Sid    = "Rules"
        Effect = "Allow"
        Action = [
          "ec2:AuthorizeSecurityGroupEgress",
          "ec2:AuthorizeSecurityGroupIngress",
          "ec2:DeleteSecurityGroup",
          "ec2:RevokeSecurityGroupEgress",
          "ec2:RevokeSecurityGroupIngress",
        ]
        Resource  = ["${local.ec2}:security-group/*"]
        Condition = local.if_own
      },
      {
        Sid       = "NewRules"
        Effect    = "Allow"
        Action    = ["ec2:AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress"]
        Resource  = ["${local.ec2}:security-group-rule/*"]
        Condition = local.if_new
      },
      {
        Sid       = "Endpoints"
        Effect    = "Allow"
        Action    = ["ec2:DeleteVpcEndpoints", "ec2:ModifyVpcEndpoint"]
        Resource  = ["${local.ec2}:vpc-endpoint/*"]
        Condition = local.if_own
      },
      {
        Sid    = "TagWhatIsMade"
        Effect = "Allow"
        Action = ["ec2:CreateTags"]
        Resource = [
          for type in ["security-group", "security-group-rule", "vpc-endpoint"] : "${local.ec2}:${type}/*"
        ]
        Condition = {
          StringEquals = {
            "aws:RequestTag/Project" = var.project
            "ec2:CreateAction" = [
              "AuthorizeSecurityGroupEgress",
              "AuthorizeSecurityGroupIngress",
              "CreateSecurityGroup",
              "CreateVpcEndpoint",
            ]
          }
        }
      },
    ]
  })
}
