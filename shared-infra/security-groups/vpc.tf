locals {
  group_names = merge(
    { for purpose in ["notebooks", "endpoints"] : purpose => "${var.project}-${purpose}" },
    var.security_group_names,
  )

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
  name = "com.amazonaws.${var.region}.s3"
}
