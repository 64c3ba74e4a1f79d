data "aws_iam_policy_document" "code" {
  statement {
    sid = "UseProjectRepositories"
    actions = [
      "codecommit:GetBranch",
      "codecommit:GetCommit",
      "codecommit:GetRepository",
      "codecommit:GitPull",
      "codecommit:GitPush",
      "codecommit:ListBranches",
    ]
    resources = [
      for name in ["", "-*"] :
      "arn:${local.partition}:codecommit:${var.region}:${local.account_id}:${var.project}${name}"
    ]
  }

  # SageMaker's record of a Git repository anywhere; its password is a secret of the project.
  statement {
    sid       = "ReadGitSettings"
    actions   = ["sagemaker:DescribeCodeRepository"]
    resources = ["${local.sagemaker_arn}:code-repository/*"]
  }
}
