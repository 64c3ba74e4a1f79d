output "stack" {
  description = "The root's place, such as notebooks/notebook-dev; fails in a copy that has another root's state."
  value       = local.stack
}

output "tags" {
  description = "The tags that everything gets: Project, ManagedBy and Stack."
  value = {
    Project   = var.project
    ManagedBy = "terraform"
    Stack     = local.stack
  }
}

output "upstream" {
  description = "The outputs of the shared stacks in reads, such as upstream.security_groups.vpc_id."
  value       = { for name, state in data.terraform_remote_state.shared : replace(name, "-", "_") => state.outputs }
}
