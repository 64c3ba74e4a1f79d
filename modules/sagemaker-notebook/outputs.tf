output "arn" {
  description = "ARN of the notebook instance."
  value       = aws_sagemaker_notebook_instance.this.arn
}

output "id" {
  description = "ID of the notebook instance, which is its name."
  value       = aws_sagemaker_notebook_instance.this.id
}

output "lifecycle_configuration_arn" {
  description = "ARN of the lifecycle configuration; null where nothing runs at creation or start."
  value       = local.lifecycle_configuration_arn
}

output "lifecycle_configuration_name" {
  description = "Name of the lifecycle configuration; null where nothing runs at creation or start."
  value       = local.lifecycle_configuration_name
}

output "lifecycle_script_room" {
  description = "Bytes by which on_create and on_start may still grow; ordinary text may grow by twice as much."
  value       = local.lifecycle_script_room
}

output "name" {
  description = "Name of the notebook instance."
  value       = aws_sagemaker_notebook_instance.this.name
}

output "network_interface_id" {
  description = "Network interface of the notebook in its subnet."
  value       = aws_sagemaker_notebook_instance.this.network_interface_id
}

# Written out, not a data source: one would be read anew, and differ, at every change of the notebook.
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreatePresignedNotebookInstanceUrl.html
output "open_policy" {
  description = "Policy, as JSON, that lets whoever has it open this notebook in Jupyter, and no other."
  value = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "OpenThisNotebook"
      Effect   = "Allow"
      Action   = "sagemaker:CreatePresignedNotebookInstanceUrl"
      Resource = aws_sagemaker_notebook_instance.this.arn
    }]
  })
}

output "role_arn" {
  description = "ARN of the role that the notebook works with: its own where it is isolated."
  value       = local.role_arn
}

output "schedules" {
  description = "When it starts and stops by itself: start and stop to cron expressions, in schedule_timezone."
  value       = local.schedules
}

output "url" {
  description = "Host name of Jupyter, without https://."
  value       = aws_sagemaker_notebook_instance.this.url
}
