locals {
  ec2_arn = "arn:${local.partition}:ec2:${var.region}:${local.account_id}"
}

# What SageMaker does with the role to put a job's containers into the VPC:
# https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html#sagemaker-roles-createtrainingjob-perms
data "aws_iam_policy_document" "network" {
  statement {
    sid = "FindTheNetwork"
    actions = [
      "ec2:DescribeDhcpOptions",
      "ec2:DescribeNetworkInterfaces",
      "ec2:DescribeRouteTables",
      "ec2:DescribeSecurityGroups",
      "ec2:DescribeSubnets",
      "ec2:DescribeVpcEndpoints",
      "ec2:DescribeVpcs",
    ]
    resources = ["*"] # none of them knows resources
  }

  statement {
    sid     = "PlugJobsIntoTheVpc"
    actions = ["ec2:CreateNetworkInterface"]
    resources = [
      for type in ["network-interface", "security-group", "subnet"] : "${local.ec2_arn}:${type}/*"
    ]
  }

  statement {
    sid = "ManageJobInterfaces"
    actions = [
      "ec2:CreateNetworkInterfacePermission",
      "ec2:DeleteNetworkInterface",
      "ec2:DeleteNetworkInterfacePermission",
    ]
    resources = ["${local.ec2_arn}:network-interface/*"]
  }
}
