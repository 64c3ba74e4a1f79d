# Made from templates/notebook/locals.tf.j2 by `tools new-notebook`; yours to edit.

locals {
  # From the directory, so that a copied directory is another notebook.
  directory = basename(abspath(path.root))
  name      = coalesce(var.name, local.directory)

  on_create = var.on_create_file == null ? "" : file("${path.root}/${var.on_create_file}")
  on_start  = var.on_start_file == null ? "" : file("${path.root}/${var.on_start_file}")

  # Chosen in each notebook: a key that came by itself would replace every notebook that exists.
  kms_key_id = !var.use_shared_kms_key ? var.kms_key_id : (
    var.kms_key_id == null
    ? data.terraform_remote_state.s3.outputs.kms_key_arns[0] # fails where shared-infra/s3 has no key
    : tobool("kms_key_id names a key, and use_shared_kms_key takes the shared one: take one of them back")
  )

  isolation = !var.isolated ? null : merge(data.terraform_remote_state.iam.outputs.isolation, {
    bucket_arns = values(data.terraform_remote_state.s3.outputs.bucket_arns)
    project     = var.role_arn == null ? local.role_prefix : tobool("role_arn names a role, and isolated makes one: take one of them back")
  })

  # An iam stack that was applied before it had the output names no other region's roles.
  role_prefix = try(data.terraform_remote_state.iam.outputs.name_prefix, var.project)

  # AWS allows fewer characters in a tag than a purpose may hold; the output `purpose` has them all.
  # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Tag.html
  purpose_tag = replace(var.purpose, "/[^\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]/", " ")
}
