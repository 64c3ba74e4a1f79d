"""What the shared role may do and what for: the policies have to say this, no more and no less.

Thought out from the purposes, not taken from the policies: an action that is added there has to
be added here too, with what it is good for. Which actions exist, and which of them know resources:
https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

from collections.abc import Mapping, Sequence
from typing import Any

Statement = dict[str, Any]


def expected(
    account: str, region: str, project: str, buckets: Sequence[str], keys: Sequence[str]
) -> dict[str, dict[str, Statement]]:
    """The statements of every managed policy, by concern and Sid, as `harness.statements` has them.

    `buckets` and `keys` are ARNs.
    """
    sagemaker = f"arn:aws:sagemaker:{region}:{account}"
    ec2 = f"arn:aws:ec2:{region}:{account}"
    ecr = f"arn:aws:ecr:{region}"
    repository = f"{ecr}:{account}:repository/{project}"
    code = f"arn:aws:codecommit:{region}:{account}:{project}"
    objects = [f"{bucket}/*" for bucket in buckets]

    jobs = _each(
        f"{sagemaker}:",
        "automl-job hyper-parameter-tuning-job processing-job training-job transform-job",
    )
    models = _each(f"{sagemaker}:", "model model-package model-package-group")
    endpoints = _each(f"{sagemaker}:", "endpoint endpoint-config")
    pipelines = _each(f"{sagemaker}:", "pipeline")
    experiments = _each(
        f"{sagemaker}:",
        "action artifact context experiment experiment-trial experiment-trial-component",
    )

    return {
        "s3": _policy(
            # What is in a bucket, where it is, and which uploads hang.
            _allow(
                "ListSharedBuckets",
                "s3:GetBucketLocation s3:ListBucket s3:ListBucketMultipartUploads"
                " s3:ListBucketVersions",
                buckets,
            ),
            # Objects, their older versions and their tags.
            _allow(
                "ReadSharedObjects", "s3:GetObject s3:GetObjectTagging s3:GetObjectVersion", objects
            ),
            # Uploads, in one piece and in parts, and deletions that leave the versions.
            _allow(
                "WriteSharedObjects",
                "s3:AbortMultipartUpload s3:DeleteObject s3:ListMultipartUploadParts s3:PutObject"
                " s3:PutObjectTagging",
                objects,
            ),
        ),
        "kms": _policy(
            # Reading and writing what a key encrypts: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
            _allow(
                "UseKeys",
                "kms:Decrypt kms:DescribeKey kms:Encrypt kms:GenerateDataKey* kms:ReEncrypt*",
                keys,
            ),
            # Volumes: by AWS services only, as they encrypt for the role.
            _allow(
                "GrantKeysToAwsServices",
                "kms:CreateGrant",
                keys,
                {"Bool": {"kms:GrantIsForAWSResource": "true"}},
            ),
        ),
        "sagemaker": _policy(
            # To begin, watch and stop every kind of job, and to change a training job that runs.
            _allow(
                "RunJobs",
                "sagemaker:CreateAutoMLJob sagemaker:DescribeAutoMLJob sagemaker:StopAutoMLJob"
                " sagemaker:CreateAutoMLJobV2 sagemaker:DescribeAutoMLJobV2"
                " sagemaker:CreateHyperParameterTuningJob sagemaker:DescribeHyperParameterTuningJob"
                " sagemaker:StopHyperParameterTuningJob"
                " sagemaker:CreateProcessingJob sagemaker:DescribeProcessingJob"
                " sagemaker:StopProcessingJob"
                " sagemaker:CreateTrainingJob sagemaker:DescribeTrainingJob"
                " sagemaker:StopTrainingJob sagemaker:UpdateTrainingJob"
                " sagemaker:CreateTransformJob sagemaker:DescribeTransformJob"
                " sagemaker:StopTransformJob",
                jobs,
            ),
            # A model's life, and the registry's, where an update approves a version.
            _allow(
                "ManageModels",
                "sagemaker:CreateModel sagemaker:DescribeModel sagemaker:DeleteModel"
                " sagemaker:CreateModelPackage sagemaker:DescribeModelPackage"
                " sagemaker:DeleteModelPackage sagemaker:UpdateModelPackage"
                " sagemaker:CreateModelPackageGroup sagemaker:DescribeModelPackageGroup"
                " sagemaker:DeleteModelPackageGroup",
                models,
            ),
            # An endpoint's life, and the three ways to ask it.
            _allow(
                "ManageAndInvokeEndpoints",
                "sagemaker:CreateEndpoint sagemaker:DescribeEndpoint sagemaker:DeleteEndpoint"
                " sagemaker:UpdateEndpoint sagemaker:UpdateEndpointWeightsAndCapacities"
                " sagemaker:CreateEndpointConfig sagemaker:DescribeEndpointConfig"
                " sagemaker:DeleteEndpointConfig"
                " sagemaker:InvokeEndpoint sagemaker:InvokeEndpointAsync"
                " sagemaker:InvokeEndpointWithResponseStream",
                endpoints,
            ),
            # A pipeline's life, its runs, and the answers of its callback steps.
            _allow(
                "RunPipelines",
                "sagemaker:CreatePipeline sagemaker:DescribePipeline sagemaker:UpdatePipeline"
                " sagemaker:DeletePipeline"
                " sagemaker:StartPipelineExecution sagemaker:DescribePipelineExecution"
                " sagemaker:DescribePipelineDefinitionForExecution"
                " sagemaker:UpdatePipelineExecution sagemaker:RetryPipelineExecution"
                " sagemaker:StopPipelineExecution"
                " sagemaker:SendPipelineExecutionStepSuccess"
                " sagemaker:SendPipelineExecutionStepFailure",
                pipelines,
            ),
            # Experiments and lineage: the life of each record, the ties between them, metrics.
            _allow(
                "TrackExperiments",
                "sagemaker:CreateAction sagemaker:DescribeAction sagemaker:UpdateAction"
                " sagemaker:DeleteAction"
                " sagemaker:CreateArtifact sagemaker:DescribeArtifact sagemaker:UpdateArtifact"
                " sagemaker:DeleteArtifact"
                " sagemaker:CreateContext sagemaker:DescribeContext sagemaker:UpdateContext"
                " sagemaker:DeleteContext"
                " sagemaker:CreateExperiment sagemaker:DescribeExperiment"
                " sagemaker:UpdateExperiment sagemaker:DeleteExperiment"
                " sagemaker:CreateTrial sagemaker:DescribeTrial sagemaker:UpdateTrial"
                " sagemaker:DeleteTrial"
                " sagemaker:CreateTrialComponent sagemaker:DescribeTrialComponent"
                " sagemaker:UpdateTrialComponent sagemaker:DeleteTrialComponent"
                " sagemaker:AddAssociation sagemaker:DeleteAssociation"
                " sagemaker:AssociateTrialComponent sagemaker:DisassociateTrialComponent"
                " sagemaker:BatchPutMetrics",
                experiments,
            ),
            # Whatever it makes and nothing else: a notebook's tags say who may stop it.
            _allow(
                "TagWhatItMakes",
                "sagemaker:AddTags sagemaker:DeleteTags",
                [*jobs, *models, *endpoints, *pipelines, *experiments],
            ),
            _allow("ListAndSearch", "sagemaker:List* sagemaker:Search", ["*"]),
            # The idle stop.
            _allow(
                "DescribeAndStopItself",
                "sagemaker:DescribeNotebookInstance sagemaker:StopNotebookInstance",
                [f"{sagemaker}:notebook-instance/*"],
                {
                    "StringEquals": {"aws:ResourceTag/Project": project},
                    # Not of isolated ones, which have the tag of their role.
                    "StringEqualsIfExists": {
                        "aws:ResourceTag/Notebook": "${aws:PrincipalTag/Notebook, '-'}"
                    },
                },
            ),
        ),
        "ecr": _policy(
            _allow("LogInToRegistries", "ecr:GetAuthorizationToken", ["*"]),
            # Of any account, as AWS keeps its own images in many; to find an image and pull it:
            # https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policy-examples.html
            _allow(
                "PullImages",
                "ecr:DescribeRepositories ecr:DescribeImages ecr:ListImages"
                " ecr:BatchCheckLayerAvailability ecr:BatchGetImage ecr:GetDownloadUrlForLayer",
                [f"{ecr}:*:repository/*"],
            ),
            # What a push adds to a pull:
            # https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
            _allow(
                "PushProjectImages",
                "ecr:CreateRepository ecr:InitiateLayerUpload ecr:UploadLayerPart"
                " ecr:CompleteLayerUpload ecr:PutImage",
                [repository, f"{repository}-*", f"{repository}/*"],
            ),
        ),
        "logs": _policy(
            # Jobs write with this role, and the SDK shows what they wrote.
            _allow(
                "WriteAndReadSageMakerLogs",
                "logs:CreateLogGroup logs:CreateLogStream logs:PutLogEvents"
                " logs:DescribeLogStreams logs:GetLogEvents logs:FilterLogEvents",
                [f"arn:aws:logs:{region}:{account}:log-group:/aws/sagemaker/*"],
            ),
            _allow("FindLogGroups", "logs:DescribeLogGroups", ["*"]),
            _allow(
                "PutMetrics",
                "cloudwatch:PutMetricData",
                ["*"],
                {
                    "StringLike": {
                        "cloudwatch:namespace": ["/aws/sagemaker/*", project, f"{project}/*"]
                    }
                },
            ),
        ),
        # What AWS lists for a job in a VPC, with what a notebook may look up besides (route
        # tables and endpoints):
        # https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html#sagemaker-roles-createtrainingjob-perms
        "network": _policy(
            _allow(
                "FindTheNetwork",
                "ec2:DescribeDhcpOptions ec2:DescribeNetworkInterfaces ec2:DescribeRouteTables"
                " ec2:DescribeSecurityGroups ec2:DescribeSubnets ec2:DescribeVpcEndpoints"
                " ec2:DescribeVpcs",
                ["*"],
            ),
            _allow(
                "PlugJobsIntoTheVpc",
                "ec2:CreateNetworkInterface",
                _each(f"{ec2}:", "network-interface security-group subnet"),
            ),
            _allow(
                "ManageJobInterfaces",
                "ec2:CreateNetworkInterfacePermission ec2:DeleteNetworkInterface"
                " ec2:DeleteNetworkInterfacePermission",
                [f"{ec2}:network-interface/*"],
            ),
        ),
        "code": _policy(
            # Git itself, and what shows a repository's state.
            _allow(
                "UseProjectRepositories",
                "codecommit:GitPull codecommit:GitPush codecommit:GetRepository"
                " codecommit:GetBranch codecommit:ListBranches codecommit:GetCommit",
                [code, f"{code}-*"],
            ),
            _allow(
                "ReadGitSettings",
                "sagemaker:DescribeCodeRepository",
                [f"{sagemaker}:code-repository/*"],
            ),
        ),
        "secrets": _policy(
            _allow(
                "ReadProjectSecrets",
                "secretsmanager:DescribeSecret secretsmanager:GetSecretValue",
                [f"arn:aws:secretsmanager:{region}:{account}:secret:{project}/*"],
            ),
            _allow("ListSecrets", "secretsmanager:ListSecrets", ["*"]),
        ),
    }


def _each(arn: str, types: str) -> list[str]:
    return [f"{arn}{kind}/*" for kind in types.split()]


def _allow(
    sid: str, actions: str, resources: Sequence[str], condition: Mapping[str, Any] | None = None
) -> Statement:
    """`actions` are separated by spaces."""
    statement = {
        "Sid": sid,
        "Effect": "Allow",
        "Action": sorted(actions.split()),
        "Resource": sorted(resources),
    }
    return statement | ({"Condition": condition} if condition else {})


def _policy(*statements: Statement) -> dict[str, Statement]:
    return {statement["Sid"]: statement for statement in statements}
