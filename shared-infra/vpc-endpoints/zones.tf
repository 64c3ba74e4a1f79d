# No service is in every Availability Zone.
# https://docs.aws.amazon.com/vpc/latest/privatelink/privatelink-share-your-services.html
locals {
  service_zones = {
    for service, found in data.aws_vpc_endpoint_service.interface : service => found.availability_zones
  }

  # Those of subnet_ids whose zone has the service; of default subnets the first one.
  service_subnet_ids = {
    for service, zones in local.service_zones : service => [
      for id in local.candidate_subnet_ids : id
      if contains(zones, data.aws_subnet.candidate[id].availability_zone)
    ]
  }

  # What AWS would refuse only once the endpoint is made: a subnet of another VPC, and two of one zone.
  # https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html
  subnets_by_zone = {
    for id in var.subnet_ids : data.aws_subnet.candidate[id].availability_zone => id...
  }
  wrong_subnets = concat(
    [
      for id in var.subnet_ids : "${id} is in ${data.aws_subnet.candidate[id].vpc_id}, and not in ${local.vpc_id}"
      if data.aws_subnet.candidate[id].vpc_id != local.vpc_id
    ],
    [
      for zone, ids in local.subnets_by_zone :
      "${join(" and ", ids)} are in ${zone}, and an endpoint takes one subnet of a zone" if length(ids) > 1
    ],
  )

  # Terraform 1.0 knows no precondition: a failing conversion is what carries a message.
  endpoint_subnet_ids = {
    for service, ids in local.service_subnet_ids :
    service => length(local.wrong_subnets) > 0 ? [tobool(
      "${join("; ", local.wrong_subnets)}. In terraform.tfvars, mend subnet_ids."
      )] : length(ids) > 0 ? slice(ids, 0, length(var.subnet_ids) > 0 ? length(ids) : 1) : [tobool(join("", [
        "${service} has no endpoints in the zones of these subnets (${join(", ", local.candidate_subnet_ids)}), only ",
        "in ${join(", ", local.service_zones[service])}. In terraform.tfvars, add a subnet in one of those to ",
        "subnet_ids, not as the first one, or remove ${service} from interface_services.",
    ]))]
  }
}

data "aws_vpc_endpoint_service" "interface" {
  for_each = var.interface_services

  service_type = "Interface"

  filter {
    name   = "service-name"
    values = [local.service_names[each.value]]
  }
}
