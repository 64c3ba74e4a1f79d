# A directory that was copied, or renamed, with another root's state: an apply here would change or replace what
# that root deployed. The root's provider reads the output `tags`, so that nothing gets past it, a destroy
# neither. Terraform 1.0 knows no precondition: a failing conversion carries the message.
locals {
  own_path = abspath(path.root)
  own_name = basename(local.own_path)
  folder   = basename(dirname(local.own_path))
  # bootstrap lies in no folder.
  own_stack = join("/", concat(
    [for name in ["shared-infra", "notebooks"] : name if name == local.folder], [local.own_name]
  ))

  # From 1.13 on Terraform wants the same of these functions in plan and apply, though an apply writes the state
  # (https://github.com/hashicorp/terraform/pull/37001). `try` takes that error for an empty file: the plan has
  # looked.
  configuration = [
    for name in try(fileset(path.root, "*.{tf,tf.json,tofu,tofu.json}"), []) : try(file("${path.root}/${name}"), "")
    if length(regexall("^[^.]", name)) > 0
  ]

  # Kind and content of a backend block, in HCL or as a property in JSON. Comments and strings are matched too, so
  # that no block is found within them.
  gap = "(?:[ \\t]|/\\*(?s:.*?)\\*/)"
  backends = flatten([for text in local.configuration : [for found in regexall(join("", [
    "(?:#|//)[^\\n]*|/\\*(?s:.*?)\\*/|",
    "(?:\\bbackend(?:${local.gap}+\"?|\")|\"backend\"\\s*:\\s*\\[?\\s*\\{\\s*\")([a-z0-9]+)\"?",
    "(?:${local.gap}*|\\s*:\\s*\\[?\\s*)(\\{(?:[^{}]|\\{[^{}]*\\})*\\})|",
    "\"(?:[^\"\\\\\\n]|\\\\.)*\"",
  ]), text) : { kind = found[0], content = found[1] } if found[0] != null] if length(regexall("backend", text)) > 0])

  # Other keys are nobody's here: they may follow a rule of one's own.
  foreign_keys = [
    for found in flatten([for backend in local.backends : regexall(join("", [
      "(?m:^[ \\t]*|[{,]\\s*|\\*/[ \\t]*)\"?key\"?\\s*[=:]\\s*\"(?:[^\"]*/)?",
      "((?:shared-infra|notebooks)/[^/\"]+)/terraform[.]tfstate\"",
    ]), backend.content)]) : found if found != local.own_stack
  ]

  # Where a backend "local" says that the state is. In JSON too, as the keys above.
  own_places = {
    for name in ["path", "workspace_dir"] : name => flatten([
      for backend in local.backends : regexall(
        "(?m:^[ \\t]*|[{,]\\s*|\\*/[ \\t]*)\"?${name}\"?\\s*[=:]\\s*\"([^\"]*)\"", backend.content
      ) if backend.kind == "local"
    ])
  }
  # https://developer.hashicorp.com/terraform/language/backend/local
  state_folder = concat(local.own_places["workspace_dir"], ["terraform.tfstate.d"])[0]
  state_file = (
    terraform.workspace == "default"
    ? concat(local.own_places["path"], ["terraform.tfstate"])[0]
    : "${local.state_folder}/${terraform.workspace}/terraform.tfstate"
  )

  # Everything in a state has the tag Stack; of a state with this root's own, all is well.
  foreign_states = flatten([
    for stacks in [distinct(flatten(regexall(
      "\"tags_all\":\\s*\\{[^{}]*\"Stack\":\\s*\"((?:shared-infra|notebooks)/[^\"]+)\"",
      length([for backend in local.backends : backend if backend.kind != "local"]) > 0 ? "" : try(
        file("${length(regexall("^/", local.state_file)) > 0 ? "" : "${path.root}/"}${local.state_file}"), ""
      )
    )))] : contains(stacks, local.own_stack) ? [] : stacks
  ])

  foreign = concat(local.foreign_keys, local.foreign_states)
  # The file that a block leads to may be the original's own: it is never to be deleted.
  is_named = length(local.foreign_keys) > 0 || length(flatten(values(local.own_places))) > 0
  holds    = local.is_named ? "a backend block that names the state" : "${local.state_file}, the state"
  undo = (
    length(local.foreign_keys) > 0
    ? "delete that block (backend.tf) and .terraform, then run `tools state enable`"
    : local.is_named ? "delete that block and .terraform"
    : terraform.workspace == "default" ? "delete terraform.tfstate* and .terraform"
    : "delete terraform.tfstate.d and .terraform"
  )

  stack = length(local.foreign) == 0 ? local.own_stack : tobool(join("", [
    "${local.own_path} has ${local.holds} of ${local.foreign[0]}: an apply here would change what that root ",
    "deployed. In a copy, ${local.undo}. After a renaming, ",
    # Others read the states of shared stacks by their names.
    local.folder == "notebooks" && dirname(local.foreign[0]) == "notebooks"
    ? "run `tools rename-notebook ${basename(local.foreign[0])} ${local.own_name}`."
    : "give the directory its old name back.",
  ]))
}
