data "terraform_remote_state" "security_groups" {
  backend = var.state_bucket == null ? "local" : "s3"
  config = {
    local = { path = "${path.module}/../security-groups/terraform.tfstate" }
    s3    = { bucket = var.state_bucket, key = "${var.state_prefix}/shared-infra/security-groups/terraform.tfstate", region = var.region }
  }[var.state_bucket == null ? "local" : "s3"]
}
