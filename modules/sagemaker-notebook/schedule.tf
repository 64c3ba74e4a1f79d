# The stop acts every day, so that also what somebody started at a weekend stops that night; the
# start on working days alone.
locals {
  schedules = {
    for verb, expression in {
      start = var.schedule_start == null ? "" : "cron(${local.schedule_start} ? * ${var.schedule_days} *)"
      stop  = var.schedule_stop == null ? "" : "cron(${local.schedule_stop} * * ? *)"
    } : verb => expression if expression != ""
  }
  schedule_count = length(local.schedules) > 0 ? 1 : 0

  # "07:30" as cron has it: 30 7.
  schedule_start = join(" ", [for part in reverse(split(":", coalesce(var.schedule_start, "0:0"))) : tonumber(part)])
  schedule_stop  = join(" ", [for part in reverse(split(":", coalesce(var.schedule_stop, "0:0"))) : tonumber(part)])

  # EventBridge Scheduler has a group called default in every account. No notebook's name has an underscore.
  # https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-group.html
  schedule_group = lower(var.name) == "default" ? "${var.name}_notebook" : var.name

  notebook_arn = split(":", aws_sagemaker_notebook_instance.this.arn)
  partition    = local.notebook_arn[1]
  region       = local.notebook_arn[3]
  account_id   = local.notebook_arn[4]
  ec2_arn      = "arn:${local.partition}:ec2:${local.region}:${local.account_id}"

  # The volume's key, which has three kinds of names: an ARN, an ID and an alias.
  key_alias = try(regex("alias/.+$", var.kms_key_id), null)
  key_id    = local.key_alias != null ? "*" : try(regex("[^/]+$", var.kms_key_id), "")
  key_arns = [
    for id in compact([local.key_id]) : can(regex("^arn:.*:key/", var.kms_key_id)) ? var.kms_key_id :
    "arn:${local.partition}:kms:${local.region}:${local.account_id}:key/${id}"
  ]
}

# A group of its own, since the trust of the role can name a group and no single schedule:
# https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
resource "aws_scheduler_schedule_group" "this" {
  count = local.schedule_count

  name = local.schedule_group
  tags = var.tags
}

resource "aws_scheduler_schedule" "this" {
  # checkov:skip=CKV_AWS_297:It holds a time and the notebook's name, which AWS's own key encrypts.

  for_each = local.schedules

  name                         = each.key
  group_name                   = aws_scheduler_schedule_group.this[0].name
  description                  = "${each.key == "start" ? "Starts" : "Stops"} the notebook ${var.name}"
  schedule_expression          = each.value
  schedule_expression_timezone = var.schedule_timezone

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = "arn:${local.partition}:scheduler:::aws-sdk:sagemaker:${each.key}NotebookInstance"
    role_arn = aws_iam_role.schedule[0].arn
    input    = jsonencode({ NotebookInstanceName = aws_sagemaker_notebook_instance.this.name })

    # AWS refuses to stop what is stopped, and EventBridge would try again for a day: the next
    # morning it would stop whoever had just begun.
    retry_policy {
      maximum_event_age_in_seconds = 300
      maximum_retry_attempts       = 3
    }
  }
}

resource "aws_iam_role" "schedule" {
  count = local.schedule_count

  name_prefix        = "${substr(var.name, 0, 28)}-schedule-" # IAM takes 38 characters
  description        = "Lets EventBridge Scheduler start and stop the notebook ${var.name}"
  assume_role_policy = data.aws_iam_policy_document.schedule_trust[0].json
  tags               = var.tags

  permissions_boundary = var.schedule_boundary_arn
}

resource "aws_iam_role_policy" "schedule" {
  count = local.schedule_count

  name   = "start-and-stop-one-notebook"
  role   = aws_iam_role.schedule[0].id
  policy = data.aws_iam_policy_document.schedule[0].json
}

data "aws_iam_policy_document" "schedule_trust" {
  count = local.schedule_count

  statement {
    sid     = "ItsOwnSchedulesAssumeTheRole"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [aws_scheduler_schedule_group.this[0].arn]
    }
  }
}

data "aws_iam_policy_document" "schedule" {
  count = local.schedule_count

  statement {
    sid       = "StartAndStopThisNotebook"
    actions   = [for verb in sort(keys(local.schedules)) : "sagemaker:${title(verb)}NotebookInstance"]
    resources = [aws_sagemaker_notebook_instance.this.arn]
  }

  # What AWS checks besides of whoever starts a notebook in a VPC, and with a key:
  # https://docs.aws.amazon.com/sagemaker/latest/dg/api-permissions-reference.html
  dynamic "statement" {
    for_each = var.schedule_start == null ? [] : [local.role_arn]

    content {
      sid       = "PassItsRole"
      actions   = ["iam:PassRole"]
      resources = [statement.value]

      condition {
        test     = "StringEquals"
        variable = "iam:PassedToService"
        values   = ["sagemaker.amazonaws.com"]
      }
    }
  }

  dynamic "statement" {
    for_each = var.schedule_start == null ? [] : [var.subnet_id]

    content {
      sid     = "PlugItIntoTheVpc"
      actions = ["ec2:CreateNetworkInterface"]
      resources = concat(
        ["${local.ec2_arn}:network-interface/*", "${local.ec2_arn}:subnet/${statement.value}"],
        [for id in var.security_group_ids : "${local.ec2_arn}:security-group/${id}"],
      )
    }
  }

  dynamic "statement" {
    for_each = var.schedule_start == null ? [] : ["*"]

    content {
      sid = "FindTheNetwork"
      actions = [
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
      ]
      resources = [statement.value] # none of them knows resources
    }
  }

  dynamic "statement" {
    for_each = var.schedule_start == null || length(local.key_arns) == 0 ? [] : [local.key_arns]

    content {
      sid       = "GrantTheVolumeItsKey"
      actions   = ["kms:CreateGrant"]
      resources = statement.value

      condition {
        test     = "Bool"
        variable = "kms:GrantIsForAWSResource"
        values   = ["true"]
      }

      dynamic "condition" {
        for_each = compact([local.key_alias])

        content {
          test     = "ForAnyValue:StringEquals"
          variable = "kms:ResourceAliases"
          values   = [condition.value]
        }
      }
    }
  }

  dynamic "statement" {
    for_each = var.schedule_start == null || length(local.key_arns) == 0 ? [] : [local.key_arns]

    content {
      sid       = "FindItsKey"
      actions   = ["kms:DescribeKey"]
      resources = statement.value
    }
  }
}
