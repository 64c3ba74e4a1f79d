"""Generated repositories, held against plain Terraform."""
