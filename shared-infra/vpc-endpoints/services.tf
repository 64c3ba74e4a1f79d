# The names that `aws ec2 describe-vpc-endpoint-services` lists. S3's gateway is com.amazonaws everywhere.
locals {
  service_names = {
    for service in var.interface_services : service =>
    service == "notebook" ? "aws.sagemaker.${var.region}.notebook" : join(".", [
      contains(local.partitions_own, service) ? local.own_prefix : "com.amazonaws", var.region, service,
    ])
  }

  partitions_own = lookup(local.prefixed_services, data.aws_partition.current.partition, [])
  own_prefix = lookup(
    { aws-cn = "cn.com.amazonaws", aws-eusc = "eu.amazonaws" }, data.aws_partition.current.partition, "com.amazonaws"
  )

  # Those with another prefix, of what a notebook may use: https://github.com/aws/aws-cdk/pull/25333 (China),
  # https://github.com/aws/aws-cdk/pull/36471 (European Sovereign Cloud)
  prefixed_services = {
    aws-cn = [
      "application-autoscaling", "athena", "autoscaling", "batch", "cloudformation", "ebs", "ec2", "ecr.api",
      "ecr.dkr", "elasticfilesystem", "emr-containers", "execute-api", "fsx", "kinesis-streams", "lambda",
      "monitoring", "rds", "redshift", "redshift-data", "sagemaker.api", "sagemaker.featurestore-runtime",
      "sagemaker.runtime", "securityhub", "servicecatalog", "sqs", "states", "sts", "sync-states", "xray",
    ]
    aws-eusc = ["ecr.api", "ecr.dkr", "execute-api", "securityhub"]
  }
}

data "aws_partition" "current" {}
