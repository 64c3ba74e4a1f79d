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

output "name" {
  description = "Name of the notebook instance."
  value       = aws_sagemaker_notebook_instance.this.name
}

output "network_interface_id" {
  description = "Network interface of the notebook in its subnet."
  value       = aws_sagemaker_notebook_instance.this.network_interface_id
}

output "schedules" {
  description = "When the notebook starts and stops by itself: start and stop to a cron expression, in schedule_timezone. Empty without a schedule."
  value       = local.schedules
}

output "url" {
  description = "Host name of Jupyter, without https://."
  value       = aws_sagemaker_notebook_instance.this.url
}
