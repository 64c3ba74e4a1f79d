# Made by `tools new-notebook`; edit it, then `terraform apply`. terraform.tfvars.example has every value.

instance_type = "ml.t3.medium"
volume_size   = 20
owner         = "data-science"
purpose       = "Development and experiments"
environment   = "dev"
