# The shared stacks' states: their local files, or the state bucket if one is set.
data "terraform_remote_state" "shared" {
  for_each = toset(var.reads)

  backend = var.state_bucket == null ? "local" : "s3"
  config = {
    local = { path = "${path.module}/../../shared-infra/${each.key}/terraform.tfstate" }
    s3 = {
      bucket = var.state_bucket
      key    = "${var.state_prefix}/shared-infra/${each.key}/terraform.tfstate"
      region = var.region
    }
  }[var.state_bucket == null ? "local" : "s3"]
}
