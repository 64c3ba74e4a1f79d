resource "aws_security_group" "endpoints" {
  # checkov:skip=CKV2_AWS_5:It is attached in shared-infra/vpc-endpoints, which reads it from this one's outputs.

  name        = local.group_names["endpoints"]
  description = "VPC endpoints of ${var.project}"
  vpc_id      = data.aws_vpc.this.id

  tags = {
    Name = local.group_names["endpoints"]
  }

  # AWS changes no description: another one, as a group that was imported has, would replace it.
  lifecycle {
    ignore_changes = [description]
  }
}

resource "aws_vpc_security_group_ingress_rule" "endpoints_from_notebooks" {
  security_group_id            = aws_security_group.endpoints.id
  description                  = "HTTPS from the notebooks"
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  referenced_security_group_id = aws_security_group.notebooks.id
}

# With private DNS the endpoints stand in for the services in the whole VPC: who is not admitted
# has no other way to them.
resource "aws_vpc_security_group_ingress_rule" "endpoints_from_vpc" {
  for_each = toset(var.endpoints_for_notebooks_only ? [] : local.vpc_cidrs)

  security_group_id = aws_security_group.endpoints.id
  description       = "HTTPS from the VPC"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = each.value
}
