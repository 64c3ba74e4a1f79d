# Made from templates/notebook/upstream.tf.j2 by `tools new-notebook`; yours to edit.
# Reads the shared stacks: their local state files, or the state bucket where one is set.

data "terraform_remote_state" "iam" {
  backend = var.state_bucket == null ? "local" : "s3"
  config = {
    local = { path = "${path.module}/../../shared-infra/iam/terraform.tfstate" }
    s3    = { bucket = var.state_bucket, key = "${var.state_prefix}/shared-infra/iam/terraform.tfstate", region = var.region }
  }[var.state_bucket == null ? "local" : "s3"]
}

data "terraform_remote_state" "s3" {
  backend = var.state_bucket == null ? "local" : "s3"
  config = {
    local = { path = "${path.module}/../../shared-infra/s3/terraform.tfstate" }
    s3    = { bucket = var.state_bucket, key = "${var.state_prefix}/shared-infra/s3/terraform.tfstate", region = var.region }
  }[var.state_bucket == null ? "local" : "s3"]
}

data "terraform_remote_state" "security_groups" {
  backend = var.state_bucket == null ? "local" : "s3"
  config = {
    local = { path = "${path.module}/../../shared-infra/security-groups/terraform.tfstate" }
    s3    = { bucket = var.state_bucket, key = "${var.state_prefix}/shared-infra/security-groups/terraform.tfstate", region = var.region }
  }[var.state_bucket == null ? "local" : "s3"]
}

data "terraform_remote_state" "vpc_endpoints" {
  backend = var.state_bucket == null ? "local" : "s3"
  config = {
    local = { path = "${path.module}/../../shared-infra/vpc-endpoints/terraform.tfstate" }
    s3    = { bucket = var.state_bucket, key = "${var.state_prefix}/shared-infra/vpc-endpoints/terraform.tfstate", region = var.region }
  }[var.state_bucket == null ? "local" : "s3"]
}
