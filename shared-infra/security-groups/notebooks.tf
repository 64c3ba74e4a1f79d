resource "aws_security_group" "notebooks" {
  # checkov:skip=CKV2_AWS_5:It is attached in the notebooks' roots, which read it from this one's outputs.

  name        = local.group_names["notebooks"]
  description = "SageMaker notebook instances of ${var.project}"
  vpc_id      = data.aws_vpc.this.id

  tags = {
    Name = local.group_names["notebooks"]
  }

  # AWS changes no description: another one, as a group that was imported has, would replace it.
  lifecycle {
    ignore_changes = [description]
  }
}

resource "aws_vpc_security_group_egress_rule" "notebooks_to_endpoints" {
  security_group_id            = aws_security_group.notebooks.id
  description                  = "HTTPS to the VPC endpoints"
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  referenced_security_group_id = aws_security_group.endpoints.id
}

resource "aws_vpc_security_group_egress_rule" "notebooks_to_s3" {
  security_group_id = aws_security_group.notebooks.id
  description       = "HTTPS to S3 through the gateway endpoint"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  prefix_list_id    = data.aws_ec2_managed_prefix_list.s3.id
}

resource "aws_vpc_security_group_egress_rule" "notebooks_to_internet" {
  count = var.allow_internet_egress ? 1 : 0

  security_group_id = aws_security_group.notebooks.id
  description       = "HTTPS to the internet"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_vpc_security_group_egress_rule" "notebooks_to_cidrs" {
  for_each = toset(var.egress_cidrs)

  security_group_id = aws_security_group.notebooks.id
  description       = "HTTPS to an address range of egress_cidrs"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = each.value
}

resource "aws_vpc_security_group_egress_rule" "notebooks_to_groups" {
  for_each = toset(var.egress_security_group_ids)

  security_group_id            = aws_security_group.notebooks.id
  description                  = "HTTPS to a group of egress_security_group_ids"
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  referenced_security_group_id = each.value
}
