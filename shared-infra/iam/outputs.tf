output "policy_arns" {
  description = "ARNs of the role's managed policies, by concern; s3 is the one that writes everywhere."
  value       = { for concern, policy in aws_iam_policy.notebook : concern => policy.arn }
}

output "role_arn" {
  description = "ARN of the role that all notebooks share."
  value       = aws_iam_role.notebook.arn
}

output "role_name" {
  description = "Name of the role that all notebooks share."
  value       = aws_iam_role.notebook.name
}
