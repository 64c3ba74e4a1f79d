output "guardrail_policy" {
  description = "Policy, as JSON, that keeps those who deploy from open notebooks: for their role, or as an SCP."
  value       = jsonencode(jsondecode(data.aws_iam_policy_document.guardrail.json))
}

output "isolation" {
  description = "What an isolated notebook's role is made of: policies and a boundary; null with too many buckets."
  value = !local.boundary_fits ? null : {
    bind_trust_to_account    = var.bind_trust_to_account
    permissions_boundary_arn = one(aws_iam_policy.isolation[*].arn)
    policy_arns = {
      for concern, policy in aws_iam_policy.notebook :
      concern => policy.arn if contains(local.isolated_concerns, concern)
    }
  }
}

output "name_prefix" {
  description = "Begins the names of roles and policies: the project, and name_suffix where there is one."
  value       = local.name_prefix
}

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

output "schedule_boundary_arn" {
  description = "Permissions boundary of schedules' roles: they start and stop the project's notebooks, nothing else."
  value       = aws_iam_policy.schedule.arn
}
