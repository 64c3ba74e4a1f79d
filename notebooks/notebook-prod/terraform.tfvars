# Made by `tools new-notebook`; edit it, then `terraform apply`. terraform.tfvars.example has every value.

instance_type = "ml.m5.2xlarge"
volume_size   = 100
owner         = "data-science"
purpose       = "Production workloads"
environment   = "prod"
