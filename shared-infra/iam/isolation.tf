# What an isolated notebook's role may do at most, whatever its policies say. One boundary serves
# all of them: `own` is the role's tag Notebook, which no notebook may change; a role without the
# tag matches nothing. In what bears its name, two hyphens end it, since an isolated name has only
# single ones: nlp--* is not of nlp-2.
locals {
  own = "&{aws:PrincipalTag/Notebook}"

  # What is named by whoever makes it. Artifacts get an ID from AWS: no name, no isolation.
  sagemaker_named_types = [
    "action", "automl-job", "code-repository", "context", "endpoint", "endpoint-config", "experiment",
    "experiment-trial", "experiment-trial-component", "hyper-parameter-tuning-job", "model",
    "model-package", "model-package-group", "pipeline", "processing-job", "training-job", "transform-job",
  ]

  model_using_actions = ["sagemaker:CreateEndpointConfig", "sagemaker:CreateTransformJob"]

  code_arn    = "arn:${local.partition}:codecommit:${var.region}:${local.account_id}"
  logs_arn    = "arn:${local.partition}:logs:${var.region}:${local.account_id}:log-group:/aws/sagemaker"
  secrets_arn = "arn:${local.partition}:secretsmanager:${var.region}:${local.account_id}:secret:${var.project}"

  ecr_read_actions = ["ecr:BatchCheck*", "ecr:BatchGet*", "ecr:Describe*", "ecr:Get*", "ecr:List*"]

  # s3 writes everywhere, network could delete network interfaces of others, and fence keeps out of
  # what is isolated.
  isolated_concerns = setsubtract(keys(local.policies), ["fence", "network", "s3"])

  boundary_name = "${local.name_prefix}-isolated-notebook-boundary"
  boundary_arn  = "arn:${local.partition}:iam::${local.account_id}:policy/${local.boundary_name}"

  # White space does not count. Some ten buckets are too many for one policy:
  # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
  boundary_fits = length(replace(data.aws_iam_policy_document.isolation.json, "/\\s/", "")) <= 6144
}

resource "aws_iam_policy" "isolation" {
  count = local.boundary_fits ? 1 : 0

  name        = local.boundary_name
  description = "Bounds every isolated notebook of ${var.project} to what bears its name"
  policy      = data.aws_iam_policy_document.isolation.json

  # AWS changes no description: another one would replace the policy, which is attached.
  lifecycle {
    ignore_changes = [description]
  }
}

data "aws_iam_policy_document" "isolation" {
  statement {
    sid       = "LogInToRegistries"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"] # knows no resources
  }

  statement {
    sid       = "LocateBuckets"
    actions   = ["s3:GetBucketLocation"]
    resources = local.bucket_arns
  }

  statement {
    sid       = "ListOwnAndShared"
    actions   = ["s3:ListBucket", "s3:ListBucketVersions"]
    resources = local.bucket_arns

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["shared/*", "users/${local.own}/*"]
    }
  }

  statement {
    sid       = "ReadShared"
    actions   = ["s3:GetObject*"]
    resources = [for arn in local.bucket_arns : "${arn}/shared/*"]
  }

  # No s3:DeleteObjectVersion: what a notebook deletes by mistake can be brought back.
  statement {
    sid = "ReadAndWriteOwn"
    actions = [
      "s3:AbortMultipartUpload",
      "s3:DeleteObject",
      "s3:GetObject*",
      "s3:ListMultipartUploadParts",
      "s3:PutObject",
      "s3:PutObjectTagging",
    ]
    resources = [for arn in local.bucket_arns : "${arn}/users/${local.own}/*"]
  }

  # The keys are everybody's: what they encrypt is bounded here.
  dynamic "statement" {
    for_each = length(local.kms_key_arns) == 0 ? [] : [local.kms_key_arns]

    content {
      sid = "UseKeys"
      actions = [
        "kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*",
      ]
      resources = statement.value
    }
  }

  statement {
    sid     = "UseWhatBearsItsName"
    actions = ["sagemaker:*"]
    resources = [
      for type in local.sagemaker_named_types : "arn:${local.partition}:sagemaker:*:*:${type}/${local.own}--*"
    ]
  }

  # They name a model, and work with the role which that has: without this, with another notebook's.
  # A request that names none is denied too, since a missing key is not like any.
  statement {
    sid       = "UseNoModelOfOthers"
    effect    = "Deny"
    actions   = local.model_using_actions
    resources = ["*"]

    condition {
      test     = "ArnNotLike"
      variable = "sagemaker:ModelArn"
      values   = ["arn:${local.partition}:sagemaker:*:*:model/${local.own}--*"]
    }
  }

  statement {
    sid       = "DescribeAndStopItself"
    actions   = ["sagemaker:DescribeNotebookInstance", "sagemaker:StopNotebookInstance"]
    resources = ["${local.sagemaker_arn}:notebook-instance/${local.own}"]
  }

  statement {
    sid       = "MakeLogGroups"
    actions   = ["logs:CreateLogGroup"]
    resources = ["${local.logs_arn}/*"]
  }

  # By stream: what works on a whole group (DescribeLogStreams, FilterLogEvents) would show others'.
  # In the groups of jobs alone: among notebooks' streams, nlp--2/ is that of a shared notebook nlp--2.
  statement {
    sid     = "WriteAndReadOwnLogs"
    actions = ["logs:CreateLogStream", "logs:GetLogEvents", "logs:PutLogEvents"]
    resources = [
      "${local.logs_arn}/*Jobs:log-stream:${local.own}--*",
      "${local.logs_arn}/Endpoints/${local.own}--*",
      "${local.logs_arn}/NotebookInstances:log-stream:${local.own}/*",
    ]
  }

  statement {
    sid       = "PutOwnMetrics"
    actions   = ["cloudwatch:PutMetricData"]
    resources = ["*"] # knows no resources; the namespace bounds it

    condition {
      test     = "StringLike"
      variable = "cloudwatch:namespace"
      values   = ["/aws/sagemaker/*", "${var.project}/users/${local.own}"]
    }
  }

  statement {
    sid       = "PullImagesOfOtherAccounts"
    actions   = local.ecr_read_actions
    resources = ["${local.ecr_arn}:*:repository/*"]

    condition {
      test     = "StringNotEquals"
      variable = "aws:ResourceAccount"
      values   = [local.account_id]
    }
  }

  statement {
    sid       = "PullSharedImages"
    actions   = local.ecr_read_actions
    resources = ["${local.ecr_arn}:${local.account_id}:repository/${var.project}/shared/*"]
  }

  statement {
    sid       = "PullAndPushOwnImages"
    actions   = ["ecr:*"]
    resources = ["${local.ecr_arn}:${local.account_id}:repository/${var.project}/users/${local.own}/*"]
  }

  statement {
    sid       = "PullTheProjectsRepository"
    actions   = ["codecommit:Get*", "codecommit:GitPull", "codecommit:ListBranches"]
    resources = ["${local.code_arn}:${var.project}"]
  }

  statement {
    sid       = "UseOwnRepository"
    actions   = ["codecommit:*"]
    resources = ["${local.code_arn}:${var.project}-users-${local.own}"]
  }

  statement {
    sid       = "ReadOwnAndSharedSecrets"
    actions   = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
    resources = ["${local.secrets_arn}/shared/*", "${local.secrets_arn}/users/${local.own}/*"]
  }

  statement {
    sid       = "PassItselfToSageMaker"
    actions   = ["iam:PassRole"]
    resources = ["arn:${local.partition}:iam::${local.account_id}:role/${local.name_prefix}-notebook-${local.own}"]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["sagemaker.amazonaws.com"]
    }
  }
}
