output "endpoint_security_group_id" {
  description = "Security group of the VPC endpoints."
  value       = aws_security_group.endpoints.id
}

output "notebook_security_group_id" {
  description = "Security group of the notebooks."
  value       = aws_security_group.notebooks.id
}

output "vpc_id" {
  description = "VPC of the notebooks and the endpoints."
  value       = data.aws_vpc.this.id
}
