# Made from templates/notebook/locals.tf.j2 by `tools new-notebook`; yours to edit.

locals {
  # From the directory, so that a copied directory is another notebook.
  directory = basename(abspath(path.root))
  name      = coalesce(var.name, local.directory)

  on_create = var.on_create_file == null ? "" : file("${path.root}/${var.on_create_file}")
  on_start  = var.on_start_file == null ? "" : file("${path.root}/${var.on_start_file}")

  # AWS allows fewer characters in a tag than a purpose may hold; the output `purpose` has them all.
  # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Tag.html
  purpose_tag = replace(var.purpose, "/[^\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]/", " ")
}
