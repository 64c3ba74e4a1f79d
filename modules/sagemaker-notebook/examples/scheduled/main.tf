# A notebook that starts on working days at eight and stops every day at seven in the evening, in Berlin's time.
# It stops itself, too, after half an hour without work.
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

  idle_stop_minutes = 30
  schedule_days     = "MON-FRI"
  schedule_start    = "08:00"
  schedule_stop     = "19:00"
  schedule_timezone = "Europe/Berlin"
}
