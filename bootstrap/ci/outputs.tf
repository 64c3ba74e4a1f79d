output "deploy_role_arn" {
  description = "ARN of the role that applies: the variable NOTEBOOKS_DEPLOY_ROLE of the pipeline."
  value       = aws_iam_role.this["deploy"].arn
}

output "plan_role_arn" {
  description = "ARN of the role that plans: the variable NOTEBOOKS_PLAN_ROLE of the pipeline."
  value       = aws_iam_role.this["plan"].arn
}
