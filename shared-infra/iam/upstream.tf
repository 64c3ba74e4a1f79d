data "terraform_remote_state" "s3" {
  backend = var.state_bucket == null ? "local" : "s3"
  config = {
    local = { path = "${path.module}/../s3/terraform.tfstate" }
    s3    = { bucket = var.state_bucket, key = "${var.state_prefix}/shared-infra/s3/terraform.tfstate", region = var.region }
  }[var.state_bucket == null ? "local" : "s3"]
}
