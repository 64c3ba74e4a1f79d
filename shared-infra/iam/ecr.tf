locals {
  ecr_arn = "arn:${local.partition}:ecr:${var.region}"
}

data "aws_iam_policy_document" "ecr" {
  statement {
    sid       = "LogInToRegistries"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"] # knows no resources
  }

  # Any account: AWS keeps its own SageMaker images in accounts that differ by region and framework.
  # https://docs.aws.amazon.com/sagemaker/latest/dg-ecr-paths/sagemaker-algo-docker-registry-paths.html
  statement {
    sid = "PullImages"
    actions = [
      "ecr:BatchCheckLayerAvailability",
      "ecr:BatchGetImage",
      "ecr:DescribeImages",
      "ecr:DescribeRepositories",
      "ecr:GetDownloadUrlForLayer",
      "ecr:ListImages",
    ]
    resources = ["${local.ecr_arn}:*:repository/*"]
  }

  statement {
    sid = "PushProjectImages"
    actions = [
      "ecr:CompleteLayerUpload",
      "ecr:CreateRepository",
      "ecr:InitiateLayerUpload",
      "ecr:PutImage",
      "ecr:UploadLayerPart",
    ]
    resources = [
      for name in ["", "-*", "/*"] : "${local.ecr_arn}:${local.account_id}:repository/${var.project}${name}"
    ]
  }
}
