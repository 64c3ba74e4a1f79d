output "url" {
  description = "Address of Jupyter, without https://."
  value       = module.notebook.url
}
