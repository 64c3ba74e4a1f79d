variable "additional_code_repositories" {
  description = "Up to three more Git repositories: URLs, or names of SageMaker code repositories."
  type        = set(string)
  default     = []

  # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateNotebookInstance.html
  validation {
    condition     = length(var.additional_code_repositories) <= 3
    error_message = "The additional_code_repositories are three at most."
  }

  # Whoever may describe the notebook reads them.
  validation {
    condition     = alltrue([for url in var.additional_code_repositories : !can(regex("^https?://[^/]*@", url))])
    error_message = "The additional_code_repositories hold no password: name a SageMaker code repository with a secret."
  }
}

variable "backup_bucket" {
  description = "Bucket of the backup: below backups/<name>/, or users/<name>/backup/ of an isolated notebook."
  type        = string
  default     = null
}

variable "backup_excludes" {
  description = "Patterns of files that the backup leaves out, as `aws s3 sync --exclude` takes them."
  type        = list(string)
  default     = [".cache/*", ".Trash-*", "lost+found/*"]

  validation {
    condition     = alltrue([for pattern in var.backup_excludes : can(regex("^[^'\\n\\r]+$", pattern))])
    error_message = "Each of backup_excludes must be a pattern in one line, without a single quote."
  }
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

  validation {
    condition     = var.backup_hours >= 0 && floor(var.backup_hours) == var.backup_hours
    error_message = "The backup_hours must be a whole number of hours, or 0 for no backup."
  }
}

variable "backup_minutes" {
  description = "Minutes after which a backup is ended. What it has copied stays, and the next one goes on."
  type        = number
  default     = 60

  validation {
    condition     = contains(range(1, 241), var.backup_minutes)
    error_message = "The backup_minutes must be a whole number from 1 to 240."
  }
}

variable "default_code_repository" {
  description = "Git repository that Jupyter opens in: a URL, or the name of a SageMaker code repository."
  type        = string
  default     = null

  # Whoever may describe the notebook reads it.
  validation {
    condition     = var.default_code_repository == null || !can(regex("^https?://[^/]*@", var.default_code_repository))
    error_message = "The default_code_repository holds no password: name a SageMaker code repository with a secret."
  }
}

variable "direct_internet_access" {
  description = "Whether it has an internet route of its own, around the VPC. A change loses the volume."
  type        = bool
  default     = false
}

variable "idle_stop_minutes" {
  description = "Minutes without work after which the notebook stops itself; 0: never. A change acts at the next start."
  type        = number
  default     = 60

  validation {
    condition     = var.idle_stop_minutes >= 0 && floor(var.idle_stop_minutes) == var.idle_stop_minutes
    error_message = "The idle_stop_minutes must be a whole number of minutes, or 0 to leave the notebook running."
  }
}

variable "idle_stop_weighs_processes" {
  description = "Whether a user's process that takes a tenth of a core, or moves 1 MiB a second, counts as work."
  type        = bool
  default     = true
}

variable "imds_version" {
  description = "Least version of the instance metadata service: 1 or 2."
  type        = string
  default     = "2"

  validation {
    condition     = contains(["1", "2"], var.imds_version)
    error_message = "The imds_version must be \"1\" or \"2\"."
  }
}

variable "instance_type" {
  description = "Instance type, such as ml.t3.medium. A change stops the notebook and starts it again."
  type        = string

  validation {
    condition     = can(regex("^ml\\.[a-z0-9-]+\\.[a-z0-9]+$", var.instance_type))
    error_message = "The instance_type must be one of SageMaker's, such as ml.t3.medium."
  }
}

variable "isolation" {
  description = "A role of its own instead of role_arn: output isolation of shared-infra/iam, project and bucket_arns."
  type = object({
    bind_trust_to_account    = bool
    bucket_arns              = list(string)
    permissions_boundary_arn = string
    policy_arns              = map(string)
    project                  = string
  })
  default = null

  validation {
    condition     = var.isolation == null ? true : var.isolation.permissions_boundary_arn != null
    error_message = "The isolation needs a permissions_boundary_arn: nothing else bounds the notebook's role."
  }
}

variable "keep_retired_instance_type" {
  description = "Keeps an existing notebook's instance_type that Amazon Linux 2023 does not run on."
  type        = bool
  default     = false
}

variable "kms_key_id" {
  description = "KMS key for the volume: ID, ARN or alias; null: AWS's own. A change replaces notebook and volume."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_id == null || can(regex("^[a-zA-Z0-9:/_-]+$", var.kms_key_id))
    error_message = "The kms_key_id must be a key's ID, its ARN or an alias (alias/<name>), or null."
  }
}

variable "name" {
  description = "Name of instance and lifecycle configuration, unique in the region. A change loses the volume."
  type        = string

  validation {
    condition     = length(var.name) <= 63 && can(regex("^[a-zA-Z0-9](-*[a-zA-Z0-9])*$", var.name))
    error_message = "The name must be 1 to 63 letters, digits and hyphens, with no hyphen at either end."
  }
}

variable "on_create" {
  description = "Script (its text) that runs once, as root, at creation, for 250 s at most. A failure is only logged."
  type        = string
  default     = ""

  validation {
    condition     = !can(regex("\\x00", var.on_create))
    error_message = "The on_create must be text without NUL characters."
  }
}

variable "on_start" {
  description = "Script (its text) that runs as root at every start, for 250 s at most. A failure is only logged."
  type        = string
  default     = ""

  validation {
    condition     = !can(regex("\\x00", var.on_start))
    error_message = "The on_start must be text without NUL characters."
  }
}

variable "platform_identifier" {
  description = "Platform of a new notebook, such as notebook-al2023-v1 (provider 6); null: AWS's default."
  type        = string
  default     = null

  validation {
    condition = var.platform_identifier == null || can(regex(
      "^notebook-al[0-9]+-v[0-9]+$", var.platform_identifier
    ))
    error_message = "The platform_identifier must look like notebook-al2023-v1, or be null for AWS's default."
  }

  # https://docs.aws.amazon.com/sagemaker/latest/dg/nbi-al2.html
  validation {
    condition     = !can(regex("^notebook-al[12]-", var.platform_identifier))
    error_message = "The platform_identifier names Amazon Linux 1 or 2, which AWS no longer creates: leave it out."
  }
}

variable "role_arn" {
  description = "ARN of the role that the notebook works with, unless isolation gives it one; null then."
  type        = string
  default     = null

  validation {
    condition     = var.role_arn == null || can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/.+$", var.role_arn))
    error_message = "The role_arn must be the ARN of an IAM role (arn:aws:iam::<account>:role/<name>)."
  }
}

variable "root_access" {
  description = "Whether the notebook's users may become root. The scripts of its lifecycle run as root either way."
  type        = bool
  default     = false
}

variable "schedule_boundary_arn" {
  description = "Policy that bounds the schedule's role, such as schedule_boundary_arn of shared-infra/iam; null: none."
  type        = string
  default     = null

  validation {
    condition = var.schedule_boundary_arn == null || can(
      regex("^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/.+$", var.schedule_boundary_arn)
    )
    error_message = "The schedule_boundary_arn must be a policy's ARN (arn:aws:iam::<account>:policy/<name>), or null."
  }
}

variable "schedule_days" {
  description = "Days of schedule_start, as cron has them: MON-FRI or MON,WED,FRI. The stop acts every day."
  type        = string
  default     = "MON-FRI"

  validation {
    condition = alltrue([for days in split(",", var.schedule_days) : can(regex(
      "^(MON|TUE|WED|THU|FRI|SAT|SUN)(-(MON|TUE|WED|THU|FRI|SAT|SUN))?$", days
    ))])
    error_message = "The schedule_days must be days such as MON-FRI or MON,WED,FRI."
  }
}

variable "schedule_start" {
  description = "Time at which it starts by itself, such as 08:00; null: never. It costs until it stops again."
  type        = string
  default     = null

  validation {
    condition     = var.schedule_start == null || can(regex("^([01][0-9]|2[0-3]):[0-5][0-9]$", var.schedule_start))
    error_message = "The schedule_start must be a time from 00:00 to 23:59, or null to never start by itself."
  }
}

variable "schedule_stop" {
  description = "Time at which it is stopped every day, at work or not, such as 19:00; null: never."
  type        = string
  default     = null

  validation {
    condition     = var.schedule_stop == null || can(regex("^([01][0-9]|2[0-3]):[0-5][0-9]$", var.schedule_stop))
    error_message = "The schedule_stop must be a time from 00:00 to 23:59, or null to leave the notebook to itself."
  }
}

variable "schedule_timezone" {
  description = "Time zone of schedule_start and schedule_stop, such as Europe/Berlin, with its summer time."
  type        = string
  default     = "UTC"

  validation {
    condition     = can(regex("^[A-Za-z]+([/_+-][A-Za-z0-9]+)*$", var.schedule_timezone))
    error_message = "The schedule_timezone must be a name of the tz database, such as UTC or Europe/Berlin."
  }
}

variable "security_group_ids" {
  description = "One to five security groups. A change replaces the notebook and loses its volume."
  type        = set(string)

  validation {
    condition     = length(var.security_group_ids) >= 1 && length(var.security_group_ids) <= 5
    error_message = "The security_group_ids are one to five."
  }

  validation {
    condition     = alltrue([for id in var.security_group_ids : can(regex("^sg-[0-9a-f]{8,17}$", id))])
    error_message = "The security_group_ids must be IDs of security groups, such as sg-0a1b2c3d4e5f67890."
  }
}

variable "subnet_id" {
  description = "Subnet that the notebook lives in. A change replaces the notebook and loses its volume."
  type        = string

  validation {
    condition     = can(regex("^subnet-[0-9a-f]{8,17}$", var.subnet_id))
    error_message = "The subnet_id must be a subnet's ID, such as subnet-0a1b2c3d4e5f67890."
  }
}

variable "tags" {
  description = "Tags besides the provider's default_tags. The stop when idle needs the tag Project."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(var.tags) <= 50
    error_message = "The tags are 50 at most, the provider's default_tags included."
  }

  validation {
    condition     = !contains([for key in keys(var.tags) : lower(key)], "notebook")
    error_message = "The tags must not name Notebook: it marks isolated notebooks, which alone may have it."
  }
}

variable "volume_size" {
  description = "Volume in GB, 5 to 16384. It can grow; a smaller one replaces the notebook and loses its data."
  type        = number
  default     = 20

  # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateNotebookInstance.html
  validation {
    condition     = var.volume_size >= 5 && var.volume_size <= 16384 && floor(var.volume_size) == var.volume_size
    error_message = "The volume_size must be a whole number of GB from 5 to 16384."
  }
}
