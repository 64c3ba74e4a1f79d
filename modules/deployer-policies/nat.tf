# The NAT gateway of shared-infra/vpc-endpoints, with its address and, for nat_subnet = a range, its subnet.
# The private subnets' route tables are the network's own, and carry no tag of the project.
locals {
  nat = jsonencode({
    Version = local.version
    Statement = [
      {
        Sid    = "NewOnes"
        Effect = "Allow"
        Action = ["ec2:AllocateAddress", "ec2:CreateNatGateway", "ec2:CreateRouteTable", "ec2:CreateSubnet"]
        Resource = [
          for type in ["elastic-ip", "natgateway", "route-table", "subnet"] : "${local.ec2}:${type}/*"
        ]
        Condition = local.if_new
      },
      {
        Sid      = "InTheVpc"
        Effect   = "Allow"
        Action   = ["ec2:CreateRouteTable", "ec2:CreateSubnet"]
        Resource = ["${local.ec2}:vpc/*"]
      },
      {
        Sid       = "WithOwnAddress"
        Effect    = "Allow"
        Action    = ["ec2:CreateNatGateway"]
        Resource  = ["${local.ec2}:elastic-ip/*"]
        Condition = local.if_own
      },
      {
        Sid      = "InASubnet"
        Effect   = "Allow"
        Action   = ["ec2:CreateNatGateway"]
        Resource = ["${local.ec2}:subnet/*"]
      },
      {
        Sid      = "Routes"
        Effect   = "Allow"
        Action   = ["ec2:CreateRoute", "ec2:DeleteRoute"]
        Resource = ["${local.ec2}:route-table/*"]
      },
      {
        Sid    = "OwnOnes"
        Effect = "Allow"
        Action = [
          "ec2:AssociateRouteTable",
          "ec2:DeleteNatGateway",
          "ec2:DeleteRouteTable",
          "ec2:DeleteSubnet",
          "ec2:DisassociateAddress",
          "ec2:DisassociateRouteTable",
          "ec2:ReleaseAddress",
        ]
        Resource = [
          for type in ["elastic-ip", "natgateway", "route-table", "subnet"] : "${local.ec2}:${type}/*"
        ]
        Condition = local.if_own
      },
      {
        Sid    = "TagWhatIsMade"
        Effect = "Allow"
        Action = ["ec2:CreateTags"]
        Resource = [
          for type in ["elastic-ip", "natgateway", "route-table", "subnet"] : "${local.ec2}:${type}/*"
        ]
        Condition = {
          StringEquals = {
            "aws:RequestTag/Project" = var.project
            "ec2:CreateAction"       = ["AllocateAddress", "CreateNatGateway", "CreateRouteTable", "CreateSubnet"]
          }
        }
      },
    ]
  })
}
