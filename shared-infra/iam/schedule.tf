# What the role of a notebook's schedule may do at most, whatever its policy says. AWS checks more of
# whoever starts a notebook than the start:
# https://docs.aws.amazon.com/sagemaker/latest/dg/api-permissions-reference.html
resource "aws_iam_policy" "schedule" {
  # As the other policies are named, so that the guardrail keeps it.
  name        = "${local.name_prefix}-notebook-schedule-boundary"
  description = "Bounds the schedules of ${var.project} to starting and stopping its notebooks"
  policy      = data.aws_iam_policy_document.schedule.json

  # AWS changes no description: another one would replace the policy, which is attached.
  lifecycle {
    ignore_changes = [description]
  }
}

data "aws_iam_policy_document" "schedule" {
  statement {
    sid       = "StartAndStopNotebooks"
    actions   = ["sagemaker:StartNotebookInstance", "sagemaker:StopNotebookInstance"]
    resources = ["${local.sagemaker_arn}:notebook-instance/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Project"
      values   = [var.project]
    }
  }

  statement {
    sid       = "PassTheirRoles"
    actions   = ["iam:PassRole"]
    resources = concat([local.shared_role_arn], local.isolated_role_arns)

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["sagemaker.amazonaws.com"]
    }
  }

  statement {
    sid     = "PlugThemIntoTheVpc"
    actions = ["ec2:CreateNetworkInterface"]
    resources = [
      for type in ["network-interface", "security-group", "subnet"] : "${local.ec2_arn}:${type}/*"
    ]
  }

  statement {
    sid = "FindTheNetwork"
    actions = [
      "ec2:DescribeNetworkInterfaces",
      "ec2:DescribeSecurityGroups",
      "ec2:DescribeSubnets",
      "ec2:DescribeVpcs",
    ]
    resources = ["*"] # none of them knows resources
  }

  statement {
    sid       = "GrantVolumesTheirKeys"
    actions   = ["kms:CreateGrant"]
    resources = ["arn:${local.partition}:kms:${var.region}:${local.account_id}:key/*"]

    condition {
      test     = "Bool"
      variable = "kms:GrantIsForAWSResource"
      values   = ["true"]
    }
  }

  statement {
    sid       = "FindTheirKeys"
    actions   = ["kms:DescribeKey"]
    resources = ["arn:${local.partition}:kms:${var.region}:${local.account_id}:key/*"]
  }
}
