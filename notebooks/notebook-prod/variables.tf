# Made from templates/notebook/variables.tf.j2 by `tools new-notebook`; yours to edit.
# The module validates what it takes; here stands what only this root knows.

variable "additional_code_repositories" {
  description = "Up to three more Git repositories: URLs or names of SageMaker code repositories."
  type        = list(string)
  default     = []
}

variable "backup_excludes" {
  description = "Patterns of files that the backup leaves out, as `aws s3 sync --exclude` takes them."
  type        = list(string)
  default     = [".cache/*", ".Trash-*", "lost+found/*"]
}

variable "backup_gb" {
  description = "GB of files in the volume's home above which no backup is made."
  type        = number
  default     = 50
}

variable "backup_hours" {
  description = "Hours between backups of the home; one before auto-stop too; 0: none. A change acts at the next start."
  type        = number
  default     = 0
}

variable "backup_minutes" {
  description = "Minutes after which a backup is ended. What it has copied stays, and the next one goes on."
  type        = number
  default     = 60
}

variable "default_code_repository" {
  description = "Git repository that Jupyter opens in: a URL or the name of a SageMaker code repository."
  type        = string
  default     = null
}

variable "direct_internet_access" {
  description = "Whether the notebook has an internet route of its own, around the VPC."
  type        = bool
  default     = false
}

variable "environment" {
  description = "Environment, as a tag: dev, staging, prod or your own."
  type        = string

  validation {
    condition     = can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]{1,256}$", var.environment))
    error_message = "The environment becomes a tag: 1 to 256 letters, digits, spaces or any of _ . : / = + - @."
  }
}

variable "idle_stop_minutes" {
  description = "Minutes without work after which the notebook stops itself; 0: never. A change acts at the next start."
  type        = number
  default     = 60
}

variable "idle_stop_weighs_processes" {
  description = "Whether processes that work count as work. A change acts at the next start."
  type        = bool
  default     = true
}

variable "imds_version" {
  description = "Minimum version of the instance metadata service: 1 or 2."
  type        = string
  default     = "2"
}

variable "instance_type" {
  description = "Instance type, such as ml.t3.medium. A change stops and starts the notebook."
  type        = string
}

variable "isolated" {
  description = "Gives the notebook a role of its own, which writes under users/<name>/ only and reads shared/ besides."
  type        = bool
  default     = false
}

variable "keep_retired_instance_type" {
  description = "Keeps an existing notebook's instance_type that Amazon Linux 2023 does not run on."
  type        = bool
  default     = false
}

variable "kms_key_id" {
  description = "KMS key for the volume; null takes AWS's own. A change replaces the notebook and loses its volume."
  type        = string
  default     = null
}

variable "name" {
  description = "Name of the instance; null takes the directory's. A change replaces the notebook and loses its volume."
  type        = string
  default     = null
}

variable "on_create_file" {
  description = "Script in this directory that runs once, as root, at creation; a change reaches no existing notebook."
  type        = string
  default     = null
}

variable "on_start_file" {
  description = "Script in this directory that runs as root at every start; a change acts from the next one on."
  type        = string
  default     = null
}

variable "owner" {
  description = "Who answers for the notebook, as a tag."
  type        = string

  validation {
    condition     = can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]{1,256}$", var.owner))
    error_message = "The owner becomes a tag: 1 to 256 letters, digits, spaces or any of _ . : / = + - @."
  }
}

variable "platform_identifier" {
  description = "Platform of a new notebook, such as notebook-al2023-v1; null: AWS's default."
  type        = string
  default     = null
}

variable "project" {
  description = "Begins every name: 2 to 32 lower-case letters, digits and hyphens (common.auto.tfvars)."
  type        = string
}

variable "purpose" {
  description = "What the notebook is for: any text. Its tag has a space for each character that AWS refuses there."
  type        = string

  validation {
    condition     = can(regex("^(?s:.){1,256}$", var.purpose))
    error_message = "The purpose must be 1 to 256 characters."
  }
}

variable "region" {
  description = "AWS region, such as us-east-1 (common.auto.tfvars)."
  type        = string
}

variable "role_arn" {
  description = "Role of the notebook; null takes the shared one."
  type        = string
  default     = null
}

variable "root_access" {
  description = "Whether the notebook's users may become root."
  type        = bool
  default     = false
}

variable "schedule_days" {
  description = "Days on which schedule_start starts the notebook: MON-FRI or MON,WED,FRI."
  type        = string
  default     = "MON-FRI"
}

variable "schedule_start" {
  description = "Time of day at which the notebook starts by itself on these days, such as 08:00; null for never."
  type        = string
  default     = null
}

variable "schedule_stop" {
  description = "Time of day at which the notebook is stopped every day, at work or not, such as 19:00; null for never."
  type        = string
  default     = null
}

variable "schedule_timezone" {
  description = "Time zone of the schedule, such as Europe/Berlin."
  type        = string
  default     = "UTC"
}

variable "security_group_ids" {
  description = "Security groups instead of the shared one. A change replaces the notebook and loses its volume."
  type        = list(string)
  default     = []
}

variable "state_bucket" {
  description = "S3 bucket that holds the states; null if each root keeps its own (common.auto.tfvars)."
  type        = string
  default     = null
}

variable "state_prefix" {
  description = "Begins the keys of the states in state_bucket (common.auto.tfvars)."
  type        = string
  default     = "ml-infra"
}

variable "subnet_id" {
  description = "Subnet; null takes the first of the shared ones. A change replaces the notebook and loses its volume."
  type        = string
  default     = null
}

variable "tags" {
  description = "Further tags."
  type        = map(string)
  default     = {}

  # Every notebook has these; its stop when idle needs Project and Notebook as they are.
  validation {
    condition = length(setintersection(
      [for key in keys(var.tags) : lower(key)],
      ["project", "managedby", "stack", "owner", "purpose", "environment", "notebook"]
    )) == 0
    error_message = "The tags must not name Project, ManagedBy, Stack, Owner, Purpose, Environment or Notebook."
  }
}

variable "use_shared_kms_key" {
  description = "Encrypts the volume with the key of shared-infra/s3. A change replaces the notebook with its volume."
  type        = bool
  default     = false
}

variable "volume_size" {
  description = "Volume in GB, 5 to 16384. It can grow; a smaller one replaces the notebook and loses its data."
  type        = number
  default     = 20
}
