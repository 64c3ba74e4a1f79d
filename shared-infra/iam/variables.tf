variable "bind_trust_to_account" {
  description = "Lets SageMaker assume the role only on behalf of this account. Try it on one notebook first."
  type        = bool
  default     = false
}

variable "budget_emails" {
  description = "Who is told when the month's bill nears monthly_budget_usd: one to ten e-mail addresses."
  type        = list(string)
  default     = []

  # https://docs.aws.amazon.com/cost-management/latest/userguide/management-limits.html
  validation {
    condition     = length(var.budget_emails) <= 10
    error_message = "The budget_emails are ten at most: AWS tells no more. Use a mailing list's address."
  }

  validation {
    condition = alltrue([for address in var.budget_emails : can(regex(
      "^[^@[:space:],;<>]+@[^@[:space:],;<>]+[.][^@[:space:],;<>]+$", address
    ))])
    error_message = "The budget_emails must be e-mail addresses, such as ml-team@example.com, one each."
  }
}

variable "cost_allocation_tags" {
  description = "Tags that Cost Explorer can group by, such as Owner. Needs a payer account and a day's wait (README)."
  type        = set(string)
  default     = []

  # https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_UpdateCostAllocationTagsStatus.html
  validation {
    condition     = length(var.cost_allocation_tags) <= 20
    error_message = "The cost_allocation_tags are twenty at most."
  }

  validation {
    condition = alltrue([
      for key in var.cost_allocation_tags :
      can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]{1,128}$", key)) && !can(regex("^aws:", key))
    ])
    error_message = "The cost_allocation_tags must be keys of tags, such as Owner, and not begin with aws:."
  }
}

variable "guardrail" {
  description = "What the guardrail policy allows of new notebooks: instance types, subnets and keys; [] is any."
  type        = object({ instance_types = list(string), subnet_ids = list(string), volume_kms_key_arns = list(string) })
  default     = { instance_types = [], subnet_ids = [], volume_kms_key_arns = [] }

  validation {
    condition     = alltrue([for type in var.guardrail.instance_types : can(regex("^ml[.][a-z0-9.*-]+$", type))])
    error_message = "The guardrail's instance_types must be SageMaker's, such as ml.t3.medium or ml.t3.*."
  }

  validation {
    condition     = alltrue([for id in var.guardrail.subnet_ids : can(regex("^subnet-[0-9a-f]{8,17}$", id))])
    error_message = "The guardrail's subnet_ids must be IDs of subnets, such as subnet-0a1b2c3d4e5f67890."
  }

  validation {
    condition = alltrue([for arn in var.guardrail.volume_kms_key_arns : can(regex(
      "^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", arn
    ))])
    error_message = "The guardrail's volume_kms_key_arns must be keys' ARNs (arn:aws:kms:<region>:<account>:key/<id>)."
  }
}

variable "guardrail_except_principal_arns" {
  description = "Roles and users (* may stand in one) whom the guardrail lets change the notebooks' roles and policies."
  type        = list(string)
  default     = []

  validation {
    condition = alltrue([for arn in var.guardrail_except_principal_arns : can(regex(
      "^arn:aws[a-z-]*:iam::([0-9]{12}|[*]):(role|user)/.+$", arn
    ))])
    error_message = "The guardrail_except_principal_arns must be ARNs of roles or users, and of no session."
  }
}

variable "kms_key_arns" {
  description = "KMS keys, besides the buckets' own, that notebooks and jobs may use."
  type        = list(string)
  default     = []

  validation {
    condition = alltrue([for arn in var.kms_key_arns : can(regex(
      "^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", arn
    ))])
    error_message = "The kms_key_arns must be ARNs of KMS keys (arn:aws:kms:<region>:<account>:key/<id>), not aliases."
  }
}

variable "monthly_budget_usd" {
  description = "US dollars a month for what has the project's tag; null: no budget."
  type        = number
  default     = null

  validation {
    condition     = var.monthly_budget_usd == null ? true : var.monthly_budget_usd > 0
    error_message = "The monthly_budget_usd must be more than 0, or null for no budget."
  }
}

variable "name_suffix" {
  description = "Follows the project in the names of roles, policies and the budget, in a second region of the account."
  type        = string
  default     = ""

  validation {
    condition     = length(var.name_suffix) <= 16 && can(regex("^([a-z0-9]+(-[a-z0-9]+)*)?$", var.name_suffix))
    error_message = "The name_suffix must be at most 16 lower-case letters, digits and single hyphens between them."
  }
}

variable "permissions_boundary_arn" {
  description = "Policy that bounds what the role may do; null sets none."
  type        = string
  default     = null

  validation {
    condition = var.permissions_boundary_arn == null || can(regex(
      "^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/.+$", var.permissions_boundary_arn
    ))
    error_message = "The permissions_boundary_arn must be null or a policy's ARN: arn:aws:iam::<account>:policy/<name>."
  }
}

variable "project" {
  description = "Begins every name: 2 to 32 lower-case letters, digits and hyphens (common.auto.tfvars)."
  type        = string
}

variable "region" {
  description = "AWS region, such as us-east-1 (common.auto.tfvars)."
  type        = string
}

variable "reserve_users" {
  description = "Keeps the shared role out of what isolated notebooks own, such as users/ in the buckets."
  type        = bool
  default     = false
}

variable "role_name" {
  description = "Name of the shared role; null: <project>-notebook, with name_suffix. A change restarts every notebook."
  type        = string
  default     = null

  # https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
  validation {
    condition     = var.role_name == null || can(regex("^[a-zA-Z0-9_+=,.@-]{1,64}$", var.role_name))
    error_message = "The role_name must be null, or 1 to 64 letters, digits or any of _ + = , . @ -."
  }
}

variable "role_path" {
  description = "Path of the shared role, such as /ml/. A change stops and starts every notebook."
  type        = string
  default     = "/"

  validation {
    condition     = length(var.role_path) <= 512 && can(regex("^/([!-.0-~][!-~]*/)?$", var.role_path))
    error_message = "The role_path must begin and end with a slash, as in /ml/, without spaces, 512 characters at most."
  }
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
