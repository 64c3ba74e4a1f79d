# A managed policy per concern: another role can take some of them without the others.
locals {
  policies = merge(
    {
      code      = { allows = "clone the project's Git repositories", json = data.aws_iam_policy_document.code.json }
      ecr       = { allows = "pull images and push the project's own", json = data.aws_iam_policy_document.ecr.json }
      logs      = { allows = "use SageMaker's logs and metrics", json = data.aws_iam_policy_document.logs.json }
      network   = { allows = "run SageMaker jobs in the VPC", json = data.aws_iam_policy_document.network.json }
      s3        = { allows = "read and write all shared buckets", json = data.aws_iam_policy_document.s3.json }
      sagemaker = { allows = "run jobs, models and pipelines", json = data.aws_iam_policy_document.sagemaker.json }
      secrets   = { allows = "read the project's secrets", json = data.aws_iam_policy_document.secrets.json }
    },
    length(local.kms_key_arns) == 0 ? {} : {
      kms = { allows = "use the KMS keys of buckets and volumes", json = data.aws_iam_policy_document.kms.json }
    },
    !var.reserve_users ? {} : {
      fence = { allows = "leave alone what isolated notebooks own", json = data.aws_iam_policy_document.fence.json }
    },
  )
}

resource "aws_iam_policy" "notebook" {
  for_each = local.policies

  name        = "${local.name_prefix}-notebook-${each.key}"
  description = "Lets ${var.project} notebooks ${each.value.allows}"
  policy      = each.value.json

  # AWS changes no description: another one would replace the policy, which is attached.
  lifecycle {
    ignore_changes = [description]
  }
}

# By the policies' names and not by the policies: while the role is imported, they are not there yet.
resource "aws_iam_role_policy_attachment" "notebook" {
  for_each = local.policies

  role       = aws_iam_role.notebook.name
  policy_arn = aws_iam_policy.notebook[each.key].arn
}
