output "endpoint_ids" {
  description = "IDs of the endpoints, by service; s3 is the gateway, where there is one."
  value = merge(
    { for endpoint in aws_vpc_endpoint.s3 : "s3" => endpoint.id },
    { for service, endpoint in aws_vpc_endpoint.interface : service => endpoint.id },
  )
}

output "nat_public_ip" {
  description = "The notebooks' address on the internet, for others' allow lists; null without a NAT gateway."
  value       = one(aws_eip.nat[*].public_ip)
}

output "route_table_ids" {
  description = "Route tables that lead to S3 through this stack's gateway; none without create_s3_gateway."
  value       = var.create_s3_gateway ? local.route_table_ids : []
}

output "subnet_ids" {
  description = "Subnets of the interface endpoints and the notebooks; a notebook uses the first."
  value       = local.subnet_ids
}
