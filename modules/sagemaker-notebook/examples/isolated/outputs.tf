output "role_arn" {
  description = "The notebook's own role."
  value       = module.notebook.role_arn
}

output "url" {
  description = "Address of Jupyter, without https://."
  value       = module.notebook.url
}
