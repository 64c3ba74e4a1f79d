# The address of the buckets before December 2026. A plan of a state that still has it stops here: without
# this it would destroy the buckets and make new ones. Run `tools upgrade`, which moves them in the state, or
# the `terraform state mv` commands in docs/upgrading.md.
resource "aws_s3_bucket" "shared" {
  # checkov:skip=CKV_AWS_18:No bucket is made here.
  # checkov:skip=CKV_AWS_21:No bucket is made here.
  # checkov:skip=CKV_AWS_144:No bucket is made here.
  # checkov:skip=CKV_AWS_145:No bucket is made here.
  # checkov:skip=CKV2_AWS_6:No bucket is made here.
  # checkov:skip=CKV2_AWS_61:No bucket is made here.
  # checkov:skip=CKV2_AWS_62:No bucket is made here.

  count = 0

  lifecycle {
    prevent_destroy = true
  }
}
