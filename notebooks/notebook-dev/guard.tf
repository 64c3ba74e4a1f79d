# Made from templates/notebook/guard.tf.j2 by `tools new-notebook`; yours to edit.

# A directory that was copied with its backend.tf shares the original's state: an apply here would change
# or replace what the original deployed. The provider reads local.stack, so that nothing gets past it, a
# destroy neither. Terraform 1.0 knows no precondition: a failing conversion is what carries a message.
locals {
  own_path  = abspath(path.module)
  own_stack = "${basename(dirname(local.own_path))}/${basename(local.own_path)}"

  # Other keys are nobody's here: they may follow a rule of one's own.
  other_stacks = [
    for found in regexall("((?:shared-infra|notebooks)/[^/\"]+)/terraform[.]tfstate", local.backend) :
    found[0] if found[0] != local.own_stack
  ]
  backend = fileexists("${path.module}/backend.tf") ? file("${path.module}/backend.tf") : ""

  stack = length(local.other_stacks) == 0 ? local.own_stack : tobool(
    "${local.own_path}/backend.tf names the state of ${local.other_stacks[0]}. In a copy, delete backend.tf and .terraform, then run `tools state enable`. After a renaming, run `tools rename-notebook ${basename(local.other_stacks[0])} ${basename(local.own_path)}`"
  )
}
