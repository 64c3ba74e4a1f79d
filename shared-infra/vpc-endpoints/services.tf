# A service's name differs by partition, in China even by service (cn.com.amazonaws.<region>.ec2 beside
# com.amazonaws.<region>.logs), and no service is in every zone: AWS is asked for both.
# https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html
# https://github.com/aws/aws-cdk/blob/main/packages/aws-cdk-lib/aws-ec2/lib/vpc-endpoint.ts
locals {
  service_prefixes = distinct(["com.amazonaws", data.aws_partition.current.reverse_dns_prefix])

  # What each service may be called.
  service_names = {
    for service in setunion(var.interface_services, ["s3"]) : service => service == "notebook" ? [
      "aws.sagemaker.${var.region}.notebook"
    ] : [for prefix in local.service_prefixes : "${prefix}.${var.region}.${service}"]
  }

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

  # Terraform 1.0 knows no precondition: a failing conversion is what carries a message.
  endpoint_subnet_ids = {
    for service, ids in local.service_subnet_ids :
    service => length(ids) > 0 ? slice(ids, 0, length(var.subnet_ids) > 0 ? length(ids) : 1) : [tobool(join("", [
      "${service} has no endpoints in the zones of these subnets (${join(", ", local.candidate_subnet_ids)}), only ",
      "in ${join(", ", local.service_zones[service])}. In terraform.tfvars, add a subnet in one of those to ",
      "subnet_ids, not as the first one, or remove ${service} from interface_services.",
    ]))]
  }
}

data "aws_partition" "current" {}

data "aws_vpc_endpoint_service" "interface" {
  for_each = var.interface_services

  service_type = "Interface"

  filter {
    name   = "service-name"
    values = local.service_names[each.value]
  }
}

data "aws_vpc_endpoint_service" "s3" {
  count = var.create_s3_gateway ? 1 : 0

  service_type = "Gateway"

  filter {
    name   = "service-name"
    values = local.service_names["s3"]
  }
}
