# Denies only: attach it to the role of those who deploy notebooks, beside what allows them to, or
# make it a service control policy. Whoever deploys this root, whose boundary it protects, must not
# have it, or be excepted.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html
locals {
  shared_role_arn = "arn:${local.partition}:iam::${local.account_id}:role${var.role_path}${local.role_name}"
  isolated_role_arns = [
    for path in ["", "*/"] :
    "arn:${local.partition}:iam::${local.account_id}:role/${path}${local.name_prefix}-notebook-*"
  ]
  policy_arns = "arn:${local.partition}:iam::${local.account_id}:policy/${local.name_prefix}-notebook-*"

  guardrail_exceptions = length(var.guardrail_except_principal_arns) > 0 ? [var.guardrail_except_principal_arns] : []
}

data "aws_iam_policy_document" "guardrail" {
  statement {
    sid       = "NoDirectInternet"
    effect    = "Deny"
    actions   = ["sagemaker:CreateNotebookInstance"]
    resources = ["*"]

    # Also where it is not said: the API's default is Enabled.
    condition {
      test     = "StringNotEquals"
      variable = "sagemaker:DirectInternetAccess"
      values   = ["Disabled"]
    }
  }

  statement {
    sid       = "NoRoot"
    effect    = "Deny"
    actions   = ["sagemaker:CreateNotebookInstance"]
    resources = ["*"]

    condition {
      test     = "StringNotEquals"
      variable = "sagemaker:RootAccess"
      values   = ["Disabled"]
    }
  }

  # An update says only what it changes.
  statement {
    sid       = "NoRootByUpdate"
    effect    = "Deny"
    actions   = ["sagemaker:UpdateNotebookInstance"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "sagemaker:RootAccess"
      values   = ["Enabled"]
    }
  }

  statement {
    sid       = "NoOldMetadataService"
    effect    = "Deny"
    actions   = ["sagemaker:CreateNotebookInstance"]
    resources = ["*"]

    condition {
      test     = "StringNotEquals"
      variable = "sagemaker:MinimumInstanceMetadataServiceVersion"
      values   = ["2"]
    }
  }

  statement {
    sid       = "NoOldMetadataServiceByUpdate"
    effect    = "Deny"
    actions   = ["sagemaker:UpdateNotebookInstance"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "sagemaker:MinimumInstanceMetadataServiceVersion"
      values   = ["1"]
    }
  }

  statement {
    sid       = "OnlyInAVpc"
    effect    = "Deny"
    actions   = ["sagemaker:CreateNotebookInstance"]
    resources = ["*"]

    condition {
      test     = "Null"
      variable = "sagemaker:VpcSubnets"
      values   = ["true"]
    }
  }

  dynamic "statement" {
    for_each = length(var.guardrail.subnet_ids) > 0 ? [var.guardrail.subnet_ids] : []

    content {
      sid       = "OnlyInTheseSubnets"
      effect    = "Deny"
      actions   = ["sagemaker:CreateNotebookInstance"]
      resources = ["*"]

      condition {
        test     = "ForAnyValue:StringNotEquals"
        variable = "sagemaker:VpcSubnets"
        values   = statement.value
      }
    }
  }

  dynamic "statement" {
    for_each = length(var.guardrail.instance_types) > 0 ? [var.guardrail.instance_types] : []

    content {
      sid       = "OnlyTheseInstanceTypes"
      effect    = "Deny"
      actions   = ["sagemaker:CreateNotebookInstance", "sagemaker:UpdateNotebookInstance"]
      resources = ["*"]

      condition {
        test     = "ForAnyValue:StringNotLike"
        variable = "sagemaker:InstanceTypes"
        values   = statement.value
      }
    }
  }

  dynamic "statement" {
    for_each = length(var.guardrail.volume_kms_key_arns) > 0 ? [var.guardrail.volume_kms_key_arns] : []

    content {
      sid       = "OnlyVolumesWithTheseKeys"
      effect    = "Deny"
      actions   = ["sagemaker:CreateNotebookInstance"]
      resources = ["*"]

      condition {
        test     = "ArnNotEquals"
        variable = "sagemaker:VolumeKmsKeyArn"
        values   = statement.value
      }
    }
  }

  # A role made without the boundary, or freed of it, would be no isolated one.
  statement {
    sid       = "BoundTheNotebooksRoles"
    effect    = "Deny"
    actions   = ["iam:CreateRole", "iam:PutRolePermissionsBoundary"]
    resources = local.isolated_role_arns

    condition {
      test     = "ArnNotEquals"
      variable = "iam:PermissionsBoundary"
      values   = [local.boundary_arn]
    }

    dynamic "condition" {
      for_each = local.guardrail_exceptions

      content {
        test     = "ArnNotLike"
        variable = "aws:PrincipalArn"
        values   = condition.value
      }
    }
  }

  statement {
    sid       = "KeepThemBound"
    effect    = "Deny"
    actions   = ["iam:DeleteRolePermissionsBoundary", "iam:UpdateAssumeRolePolicy"]
    resources = local.isolated_role_arns

    dynamic "condition" {
      for_each = local.guardrail_exceptions

      content {
        test     = "ArnNotLike"
        variable = "aws:PrincipalArn"
        values   = condition.value
      }
    }
  }

  statement {
    sid    = "KeepThePolicies"
    effect = "Deny"
    actions = [
      "iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion", "iam:SetDefaultPolicyVersion",
    ]
    resources = [local.boundary_arn, local.policy_arns]

    dynamic "condition" {
      for_each = local.guardrail_exceptions

      content {
        test     = "ArnNotLike"
        variable = "aws:PrincipalArn"
        values   = condition.value
      }
    }
  }

  # The boundary believes this tag. A new role, which is made with it, has none yet. Capitals make no
  # other tag: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
  statement {
    sid       = "KeepTheirTag"
    effect    = "Deny"
    actions   = ["iam:TagRole", "iam:UntagRole"]
    resources = local.isolated_role_arns

    condition {
      test     = "ForAnyValue:StringEqualsIgnoreCase"
      variable = "aws:TagKeys"
      values   = ["Notebook"]
    }

    condition {
      test     = "Null"
      variable = "aws:ResourceTag/Notebook"
      values   = ["false"]
    }

    dynamic "condition" {
      for_each = local.guardrail_exceptions

      content {
        test     = "ArnNotLike"
        variable = "aws:PrincipalArn"
        values   = condition.value
      }
    }
  }

  # The shared role has no boundary of its own: what is added to it reaches every notebook.
  statement {
    sid    = "KeepTheSharedRole"
    effect = "Deny"
    actions = [
      "iam:AttachRolePolicy",
      "iam:DeleteRole",
      "iam:DeleteRolePolicy",
      "iam:DetachRolePolicy",
      "iam:PutRolePolicy",
      "iam:UpdateAssumeRolePolicy",
    ]
    resources = [local.shared_role_arn]

    dynamic "condition" {
      for_each = local.guardrail_exceptions

      content {
        test     = "ArnNotLike"
        variable = "aws:PrincipalArn"
        values   = condition.value
      }
    }
  }
}
