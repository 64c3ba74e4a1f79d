locals {
  vpc_id = module.common.upstream.security_groups.vpc_id

  subnet_ids = length(var.subnet_ids) > 0 ? var.subnet_ids : [
    local.candidate_subnet_ids[0] # fails in a VPC without default subnets: set subnet_ids in terraform.tfvars
  ]

  # Default subnets by Availability Zone, of which each has one at most. IDs are random: by them, a
  # later subnet could come first, and replace every notebook.
  candidate_subnet_ids = length(var.subnet_ids) > 0 ? var.subnet_ids : values({
    for subnet in data.aws_subnet.candidate : subnet.availability_zone => subnet.id
  })

  # A subnet without a route table of its own uses the VPC's main one.
  route_table_ids = length(var.route_table_ids) > 0 ? var.route_table_ids : distinct([
    for own in data.aws_route_tables.of_subnet :
    length(own.ids) > 0 ? own.ids[0] : data.aws_vpc.this.main_route_table_id
  ])
}

data "aws_vpc" "this" {
  id = local.vpc_id
}

data "aws_subnets" "default" {
  filter {
    name   = "vpc-id"
    values = [local.vpc_id]
  }

  filter {
    name   = "default-for-az"
    values = ["true"]
  }
}

data "aws_subnet" "candidate" {
  for_each = toset(length(var.subnet_ids) > 0 ? var.subnet_ids : data.aws_subnets.default.ids)

  id = each.value
}

data "aws_route_tables" "of_subnet" {
  for_each = toset(local.subnet_ids)

  filter {
    name   = "association.subnet-id"
    values = [each.value]
  }
}
