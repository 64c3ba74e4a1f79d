# A directory that was copied with its backend.tf shares the original's state: an apply here would change
# or replace what the original deployed. The root's provider reads the output `stack`, so that nothing gets
# past it, a destroy neither. Terraform 1.0 knows no precondition: a failing conversion carries the message.
locals {
  own_path = abspath(path.root)
  own_name = basename(local.own_path)
  folder   = basename(dirname(local.own_path))
  # bootstrap lies in no folder.
  own_stack = join("/", concat(
    [for name in ["shared-infra", "notebooks"] : name if name == local.folder], [local.own_name]
  ))

  # Other keys are nobody's here: they may follow a rule of one's own.
  other_stacks = [
    for found in regexall("((?:shared-infra|notebooks)/[^/\"]+)/terraform[.]tfstate", local.backend) :
    found[0] if found[0] != local.own_stack
  ]
  backend = fileexists("${path.root}/backend.tf") ? file("${path.root}/backend.tf") : ""

  stack = length(local.other_stacks) == 0 ? local.own_stack : tobool(join("", [
    "${local.own_path}/backend.tf names the state of ${local.other_stacks[0]}. In a copy, delete backend.tf and ",
    ".terraform, then run `tools state enable`. After a renaming, run ",
    "`tools rename-notebook ${basename(local.other_stacks[0])} ${local.own_name}`",
  ]))
}
