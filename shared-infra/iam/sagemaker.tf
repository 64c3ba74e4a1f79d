locals {
  sagemaker_arn = "arn:${local.partition}:sagemaker:${var.region}:${local.account_id}"

  sagemaker_job_arns = [
    for type in ["automl-job", "hyper-parameter-tuning-job", "processing-job", "training-job", "transform-job"] :
    "${local.sagemaker_arn}:${type}/*"
  ]
  sagemaker_model_arns = [
    for type in ["model", "model-package", "model-package-group"] : "${local.sagemaker_arn}:${type}/*"
  ]
  sagemaker_endpoint_arns = [
    for type in ["endpoint", "endpoint-config"] : "${local.sagemaker_arn}:${type}/*"
  ]
  sagemaker_pipeline_arns = ["${local.sagemaker_arn}:pipeline/*"]
  sagemaker_experiment_arns = [
    for type in ["action", "artifact", "context", "experiment", "experiment-trial", "experiment-trial-component"] :
    "${local.sagemaker_arn}:${type}/*"
  ]
}

data "aws_iam_policy_document" "sagemaker" {
  statement {
    sid = "RunJobs"
    actions = concat(
      flatten([
        for job in ["HyperParameterTuningJob", "ProcessingJob", "TrainingJob", "TransformJob"] :
        [for verb in ["Create", "Describe", "Stop"] : "sagemaker:${verb}${job}"]
      ]),
      [
        "sagemaker:CreateAutoMLJob",
        "sagemaker:CreateAutoMLJobV2",
        "sagemaker:DescribeAutoMLJob",
        "sagemaker:DescribeAutoMLJobV2",
        "sagemaker:StopAutoMLJob",
        "sagemaker:UpdateTrainingJob",
      ],
    )
    resources = local.sagemaker_job_arns
  }

  statement {
    sid = "ManageModels"
    actions = concat(
      flatten([
        for model in ["Model", "ModelPackage", "ModelPackageGroup"] :
        [for verb in ["Create", "Delete", "Describe"] : "sagemaker:${verb}${model}"]
      ]),
      ["sagemaker:UpdateModelPackage"],
    )
    resources = local.sagemaker_model_arns
  }

  statement {
    sid = "ManageAndInvokeEndpoints"
    actions = [
      "sagemaker:CreateEndpoint",
      "sagemaker:CreateEndpointConfig",
      "sagemaker:DeleteEndpoint",
      "sagemaker:DeleteEndpointConfig",
      "sagemaker:DescribeEndpoint",
      "sagemaker:DescribeEndpointConfig",
      "sagemaker:InvokeEndpoint",
      "sagemaker:InvokeEndpointAsync",
      "sagemaker:InvokeEndpointWithResponseStream",
      "sagemaker:UpdateEndpoint",
      "sagemaker:UpdateEndpointWeightsAndCapacities",
    ]
    resources = local.sagemaker_endpoint_arns
  }

  statement {
    sid = "RunPipelines"
    actions = [
      "sagemaker:CreatePipeline",
      "sagemaker:DeletePipeline",
      "sagemaker:DescribePipeline",
      "sagemaker:DescribePipelineDefinitionForExecution",
      "sagemaker:DescribePipelineExecution",
      "sagemaker:RetryPipelineExecution",
      "sagemaker:SendPipelineExecutionStepFailure",
      "sagemaker:SendPipelineExecutionStepSuccess",
      "sagemaker:StartPipelineExecution",
      "sagemaker:StopPipelineExecution",
      "sagemaker:UpdatePipeline",
      "sagemaker:UpdatePipelineExecution",
    ]
    resources = local.sagemaker_pipeline_arns
  }

  statement {
    sid = "TrackExperiments"
    actions = concat(
      flatten([
        for record in ["Action", "Artifact", "Context", "Experiment", "Trial", "TrialComponent"] :
        [for verb in ["Create", "Delete", "Describe", "Update"] : "sagemaker:${verb}${record}"]
      ]),
      [
        "sagemaker:AddAssociation",
        "sagemaker:AssociateTrialComponent",
        "sagemaker:BatchPutMetrics",
        "sagemaker:DeleteAssociation",
        "sagemaker:DisassociateTrialComponent",
      ],
    )
    resources = local.sagemaker_experiment_arns
  }

  # Not on notebook instances: whoever sets their Project tag decides who may stop them.
  statement {
    sid     = "TagWhatItMakes"
    actions = ["sagemaker:AddTags", "sagemaker:DeleteTags"]
    resources = concat(
      local.sagemaker_job_arns,
      local.sagemaker_model_arns,
      local.sagemaker_endpoint_arns,
      local.sagemaker_pipeline_arns,
      local.sagemaker_experiment_arns,
    )
  }

  statement {
    sid       = "ListAndSearch"
    actions   = ["sagemaker:List*", "sagemaker:Search"]
    resources = ["*"] # most of these know no resources
  }

  # The idle stop runs in the notebook, with this role. A role cannot tell which notebook uses it,
  # so that the project's tag is the narrowest bound there is.
  statement {
    sid       = "DescribeAndStopItself"
    actions   = ["sagemaker:DescribeNotebookInstance", "sagemaker:StopNotebookInstance"]
    resources = ["${local.sagemaker_arn}:notebook-instance/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Project"
      values   = [var.project]
    }

    # Of the isolated ones each has the value of its role's tag, and the shared role has no such tag.
    condition {
      test     = "StringEqualsIfExists"
      variable = "aws:ResourceTag/Notebook"
      values   = ["&{aws:PrincipalTag/Notebook, '-'}"]
    }
  }
}
