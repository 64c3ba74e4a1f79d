# One NAT gateway for all notebooks, where nat_subnet says so: the way to package indexes and Git
# hosts, for notebooks whose egress is opened for it in shared-infra/security-groups.
locals {
  nat_name      = "${var.project}-nat"
  nat_is_wanted = var.nat_subnet != null
  nat_in_new    = can(cidrnetmask(var.nat_subnet)) # an address range, for a subnet that is made
  nat_in_old    = local.nat_is_wanted ? !local.nat_in_new : false

  nat_own_ids = [
    for id, gateway in data.aws_nat_gateway.all : id if lookup(gateway.tags, "Name", "") == local.nat_name
  ]

  # Where other default routes of these tables lead. An own gateway is told by its name: by its ID, which
  # is unknown before it is made, nothing could be refused in the plan.
  other_default_routes = flatten([
    for id, table in data.aws_route_table.private : [
      for route in table.routes :
      "${id} to ${coalesce(route.nat_gateway_id, route.gateway_id, route.transit_gateway_id, "another target")}"
      if route.cidr_block == "0.0.0.0/0" && !contains(local.nat_own_ids, route.nat_gateway_id)
    ]
  ])

  private_table_ids = keys(data.aws_route_table.private)
  nat_route_table_ids = length(local.other_default_routes) == 0 ? local.private_table_ids : [tobool(join("", [
    "There is a default route already: ${join(", ", local.other_default_routes)}. A NAT gateway is for private ",
    "subnets, whose route tables have none: name others in subnet_ids, or set nat_subnet = null.",
  ]))]

  # The internet gateways that the public subnet's default route leads to.
  nat_route_ends = flatten([
    for table in data.aws_route_table.public : [
      for route in table.routes : route.gateway_id
      if route.cidr_block == "0.0.0.0/0" && can(regex("^igw-", route.gateway_id))
    ]
  ])

  nat_subnet = length(local.other_nat_ids) == 0 ? var.nat_subnet : tobool(join("", [
    "The VPC has a NAT gateway already: ${join(", ", local.other_nat_ids)}. Set nat_subnet = null, and lead the ",
    "route tables to that one: aws ec2 create-route --destination-cidr-block 0.0.0.0/0 --nat-gateway-id ",
    "${local.other_nat_ids[0]} --route-table-id ${join(" or ", local.route_table_ids)}.",
  ]))
  nat_public_id = !local.nat_in_old || length(local.nat_route_ends) > 0 ? local.nat_subnet : tobool(join("", [
    "nat_subnet ${local.nat_in_old ? var.nat_subnet : ""} has no route to an internet gateway: name a public ",
    "subnet, or an address range of the VPC that is free, for a new one.",
  ]))

  # Of others, that lead to the internet. One made beside the own one later stops nothing.
  other_nat_ids = length(local.nat_own_ids) > 0 ? [] : [
    for id, gateway in data.aws_nat_gateway.all : id if gateway.connectivity_type != "private"
  ]
}

data "aws_nat_gateways" "all" {
  count = local.nat_is_wanted ? 1 : 0

  vpc_id = local.vpc_id

  filter {
    name   = "state"
    values = ["available", "pending"]
  }
}

data "aws_nat_gateway" "all" {
  for_each = toset(flatten(data.aws_nat_gateways.all[*].ids))

  id = each.value
}

data "aws_route_table" "private" {
  for_each = toset(local.nat_is_wanted ? local.route_table_ids : [])

  route_table_id = each.value
}

data "aws_route_tables" "of_nat_subnet" {
  count = local.nat_in_old ? 1 : 0

  filter {
    name   = "association.subnet-id"
    values = [var.nat_subnet]
  }
}

data "aws_route_table" "public" {
  count = local.nat_in_old ? 1 : 0

  # A subnet without a route table of its own uses the VPC's main one.
  route_table_id = concat(data.aws_route_tables.of_nat_subnet[0].ids, [data.aws_vpc.this.main_route_table_id])[0]
}

data "aws_internet_gateway" "this" {
  count = local.nat_in_new ? 1 : 0

  filter {
    name   = "attachment.vpc-id"
    values = [local.vpc_id]
  }
}

resource "aws_subnet" "nat" {
  count = local.nat_in_new ? 1 : 0

  vpc_id            = local.vpc_id
  cidr_block        = local.nat_subnet
  availability_zone = data.aws_subnet.candidate[local.subnet_ids[0]].availability_zone

  tags = {
    Name = local.nat_name
  }
}

resource "aws_route_table" "nat" {
  count = local.nat_in_new ? 1 : 0

  vpc_id = local.vpc_id

  tags = {
    Name = local.nat_name
  }
}

resource "aws_route" "nat_to_internet" {
  count = local.nat_in_new ? 1 : 0

  route_table_id         = aws_route_table.nat[0].id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = data.aws_internet_gateway.this[0].id
}

resource "aws_route_table_association" "nat" {
  count = local.nat_in_new ? 1 : 0

  route_table_id = aws_route_table.nat[0].id
  subnet_id      = aws_subnet.nat[0].id
}

resource "aws_eip" "nat" {
  count = local.nat_is_wanted ? 1 : 0

  domain = "vpc"

  tags = {
    Name = local.nat_name
  }
}

resource "aws_nat_gateway" "this" {
  count = local.nat_is_wanted ? 1 : 0

  allocation_id = aws_eip.nat[0].id
  subnet_id     = local.nat_in_new ? aws_subnet.nat[0].id : local.nat_public_id

  tags = {
    Name = local.nat_name
  }

  depends_on = [aws_route.nat_to_internet, aws_route_table_association.nat]
}

resource "aws_route" "private_to_nat" {
  for_each = toset(local.nat_route_table_ids)

  route_table_id         = each.value
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[0].id
}
