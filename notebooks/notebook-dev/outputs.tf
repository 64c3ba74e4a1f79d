# Made from templates/notebook/outputs.tf.j2 by `tools new-notebook`; yours to edit.

output "bucket_names" {
  description = "Shared buckets that the notebook reads and writes, by purpose."
  value       = module.common.upstream.s3.bucket_names
}

output "instance_type" {
  description = "Instance type of the notebook."
  value       = var.instance_type
}

output "lifecycle_configuration_name" {
  description = "Name of the lifecycle configuration; null where nothing runs at start or creation."
  value       = module.notebook.lifecycle_configuration_name
}

output "lifecycle_script_room" {
  description = "Bytes by which the scripts on_create_file and on_start_file may still grow before AWS refuses them."
  value       = module.notebook.lifecycle_script_room
}

output "network_interface_id" {
  description = "Network interface of the notebook in its subnet."
  value       = module.notebook.network_interface_id
}

output "notebook_arn" {
  description = "ARN of the notebook instance."
  value       = module.notebook.arn
}

output "notebook_name" {
  description = "Name of the notebook instance."
  value       = module.notebook.name
}

output "notebook_url" {
  description = "Address of Jupyter. It asks for a sign-in: open it through the console or a presigned URL."
  value       = "https://${module.notebook.url}"
}

output "open_policy" {
  description = "Policy, as JSON, for whoever may open this notebook: it lets them make its address, and no other's."
  value       = module.notebook.open_policy
}

output "purpose" {
  description = "What the notebook is for, as it was written."
  value       = var.purpose
}

output "role_arn" {
  description = "ARN of the role that the notebook works with."
  value       = module.notebook.role_arn
}
