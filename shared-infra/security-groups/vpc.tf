locals {
  group_names = merge(
    { for purpose in ["notebooks", "endpoints"] : purpose => "${var.project}-${purpose}" },
    var.security_group_names,
  )

  # As in shared-infra/vpc-endpoints/services.tf.
  service_prefixes = distinct(["com.amazonaws", data.aws_partition.current.reverse_dns_prefix])

  # The first and those that were added later.
  vpc_cidrs = [
    for range in data.aws_vpc.this.cidr_block_associations : range.cidr_block if range.state == "associated"
  ]
}

data "aws_vpc" "this" {
  id      = var.vpc_id == "default" ? null : var.vpc_id
  default = var.vpc_id == "default" ? true : null
}

# The addresses of S3 in this region, which AWS keeps up to date.
data "aws_ec2_managed_prefix_list" "s3" {
  filter {
    name   = "prefix-list-name"
    values = [for prefix in local.service_prefixes : "${prefix}.${var.region}.s3"]
  }
}

data "aws_partition" "current" {}
