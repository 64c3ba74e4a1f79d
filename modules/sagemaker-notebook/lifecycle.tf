locals {
  # AWS ends a lifecycle script, and with it the start, after 300 s, and takes 16384 characters of
  # base64: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_NotebookInstanceLifecycleHook.html
  # Each part may take 5 s more than its own limit before it is killed.
  auto_stop_seconds       = 25
  environment_seconds     = 5
  backup_install_seconds  = 5
  user_script_seconds     = local.backs_up ? 240 : 250
  lifecycle_script_length = 16384

  # Known, if it can be, before the scripts are.
  lifecycle_wanted = (
    local.isolated || local.backs_up || var.idle_stop_minutes > 0 ? true :
    length(var.on_create) + length(var.on_start) > 0
  )

  # A byte order mark or a carriage return of a Windows editor would hide the interpreter's name.
  user_scripts = {
    for name, script in { on-create = var.on_create, on-start = var.on_start } :
    name => [
      for text in [replace(trimprefix(script, "\ufeff"), "\r\n", "\n")] :
      { name = name, seconds = local.user_script_seconds, script = text } if text != ""
    ]
  }

  auto_stop = [
    for minutes in [var.idle_stop_minutes] : {
      name    = "auto-stop"
      seconds = local.auto_stop_seconds
      script = replace(templatefile("${path.module}/scripts/install-autostop.sh.tftpl", {
        idle_seconds = minutes * 60
        options = join("", [
          var.idle_stop_weighs_processes ? " --processes" : "",
          local.backs_up ? " --backup" : "",
        ])
        files = {
          for name in fileset("${path.module}/scripts/autostop", "*.py") :
          name => replace(
            replace(file("${path.module}/scripts/autostop/${name}"), local.docstrings, ""),
            # Without a backup its lines take nothing of the room that is left for the user's script.
            local.backs_up ? "  # backup\n" : "/[^\n]*  # backup\n/", local.backs_up ? "\n" : ""
          )
          if name != "backup.py" || local.backs_up
        }
      }), local.comments, "")
    } if minutes > 0
  ]

  backs_up = var.backup_hours > 0
  backup_target = !local.backs_up ? "" : var.backup_bucket == null ? tobool(
    "${var.name} has backup_hours and no backup_bucket: give it both"
    ) : join("/", concat(
      ["s3:/", var.backup_bucket],
      # What an isolated role may write, and what the fence leaves to the shared one.
      local.isolated ? ["users", local.isolated_name, "backup"] : ["backups", var.name],
  ))
  backup = [
    for hours in [var.backup_hours] : {
      name    = "backup"
      seconds = local.backup_install_seconds
      script = replace(templatefile("${path.module}/scripts/install-backup.sh.tftpl", {
        excludes = join("", [for pattern in var.backup_excludes : " --exclude '${pattern}'"])
        hours    = hours
        limit    = var.backup_gb * 1000 * 1000 * 1000
        region   = data.aws_region.current.id
        seconds  = var.backup_minutes * 60
        target   = local.backup_target
        without  = join("", [for pattern in var.backup_excludes : " ! -path './${pattern}'"])
      }), local.comments, "")
    } if hours > 0
  ]

  # Not without auto-stop: a notebook that was taken over keeps its room for its own script.
  environment = [
    for prefix in [local.isolated ? "users/${local.isolated_name}/" : ""] : {
      name    = "environment"
      seconds = local.environment_seconds
      script = replace(templatefile("${path.module}/scripts/environment.sh.tftpl", {
        region = data.aws_region.current.id
        prefix = prefix
      }), local.comments, "")
    } if local.isolated || var.idle_stop_minutes > 0
  ]

  # Comments and docstrings are for whoever reads the repository: AWS counts each character. The
  # pattern takes lines that hold nothing else, and leaves the interpreter's.
  comments   = "/(?m)^ *#([^!\\n].*)?\\n/"
  docstrings = "/(?ms)^ *\"\"\".*?\"\"\"\\n+/"

  # A script cannot hold its own checksum, which therefore can end it.
  lifecycle_texts = {
    for name, parts in {
      on_create = local.user_scripts["on-create"]
      on_start  = concat(local.auto_stop, local.backup, local.environment, local.user_scripts["on-start"])
    } :
    name => join("", concat(
      ["#!/bin/bash\n# Terraform: modules/sagemaker-notebook\n"],
      [replace(file("${path.module}/scripts/lifecycle.sh"), local.comments, "")],
      [
        for part in parts : join("", [
          for end in [substr(sha1(part.script), 0, 8)] :
          "part ${part.name} ${part.seconds} <<'${end}'\n${part.script}\n${end}\n"
        ])
      ],
    ))
  }

  # As it is, or packed. What AWS decodes is text in both: no document of AWS says what it makes of
  # other bytes, so that the packed form keeps base64 within base64 (docs/decisions/0019).
  lifecycle_forms = {
    for name, text in local.lifecycle_texts : name => {
      plain  = base64encode(text)
      packed = base64encode(templatefile("${path.module}/scripts/packed.sh.tftpl", { script = base64gzip(text) }))
    }
  }
  lifecycle_scripts = {
    for name, form in local.lifecycle_forms :
    name => max(local.lifecycle_script_length, length(form.packed)) < length(form.plain) ? form.packed : form.plain
  }

  # A byte that does not compress takes 4/3 characters in the plain form, and 16/9 in the packed one.
  lifecycle_script_room = {
    for name, form in local.lifecycle_forms :
    name => max(
      0,
      floor((local.lifecycle_script_length - length(form.plain)) * 3 / 4),
      floor((local.lifecycle_script_length - length(form.packed)) * 9 / 16),
    )
  }

  # Terraform 1.0 knows no precondition: a failing conversion is what carries a message.
  lifecycle_scripts_that_fit = {
    for name, script in local.lifecycle_scripts :
    name => length(script) <= local.lifecycle_script_length ? script : tobool(
      join("", [
        "${name} of notebook ${var.name} is too long: with the module's own part it is ${length(script)} characters ",
        "of base64, and AWS takes ${local.lifecycle_script_length}; shorten it, or let it fetch the rest from S3",
      ])
    )
  }

  lifecycle_configuration_arn  = one(aws_sagemaker_notebook_instance_lifecycle_configuration.this[*].arn)
  lifecycle_configuration_name = one(aws_sagemaker_notebook_instance_lifecycle_configuration.this[*].name)
}

data "aws_region" "current" {}

# Both scripts are always there, empty where nothing is to run: an update that left one out would
# not say that it is to be removed.
resource "aws_sagemaker_notebook_instance_lifecycle_configuration" "this" {
  count = local.lifecycle_wanted ? 1 : 0

  name      = var.name
  on_create = local.lifecycle_scripts_that_fit["on_create"]
  on_start  = local.lifecycle_scripts_that_fit["on_start"]

  # So that the notebook lets go of it before it is deleted.
  lifecycle {
    create_before_destroy = true
  }
}
