resource "aws_vpc_endpoint" "s3" {
  count = var.create_s3_gateway ? 1 : 0

  vpc_id            = local.vpc_id
  vpc_endpoint_type = "Gateway"
  service_name      = "com.amazonaws.${var.region}.s3"
  route_table_ids   = local.route_table_ids
  policy            = lookup(merge(local.account_policies, var.endpoint_policies), "s3", null)

  tags = {
    Name = "${var.project}-s3"
  }
}

resource "aws_vpc_endpoint" "interface" {
  for_each = var.interface_services

  vpc_id              = local.vpc_id
  vpc_endpoint_type   = "Interface"
  service_name        = local.service_names[each.value]
  subnet_ids          = local.endpoint_subnet_ids[each.value]
  security_group_ids  = [module.common.upstream.security_groups.endpoint_security_group_id]
  private_dns_enabled = var.private_dns_enabled
  policy              = lookup(merge(local.account_policies, var.endpoint_policies), each.value, null)

  tags = {
    Name = "${var.project}-${each.value}"
  }
}
