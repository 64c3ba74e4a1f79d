# A notebook in a VPC, with a role that exists: everything else is the module's default.
terraform {
  required_version = ">= 1.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

module "notebook" {
  source = "../.."

  name               = "example"
  instance_type      = "ml.t3.medium"
  role_arn           = var.role_arn
  subnet_id          = var.subnet_id
  security_group_ids = var.security_group_ids
}
