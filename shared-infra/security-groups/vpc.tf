locals {
  group_names = merge(
    { for purpose in ["notebooks", "endpoints"] : purpose => "${var.project}-${purpose}" },
    var.security_group_names,
  )
}

data "aws_vpc" "this" {
  id      = var.vpc_id
  default = var.vpc_id == null ? true : null
}

# The addresses of S3 in this region, which AWS keeps up to date.
data "aws_ec2_managed_prefix_list" "s3" {
  name = "com.amazonaws.${var.region}.s3"
}
