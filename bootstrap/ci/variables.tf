variable "branch" {
  description = "Branch that is deployed."
  type        = string
  default     = "main"

  validation {
    condition     = can(regex("^[A-Za-z0-9._/-]+$", var.branch))
    error_message = "The branch must have letters, digits, dots, slashes, hyphens and underscores only: no wildcard."
  }
}

variable "environment" {
  description = "Environment of GitHub whose jobs may apply. Restrict it to the branch, and require reviewers."
  type        = string
  default     = "notebooks"

  validation {
    condition     = can(regex("^[A-Za-z0-9._-]+$", var.environment))
    error_message = "The environment must have letters, digits, dots, hyphens and underscores only: no wildcard."
  }
}

variable "gitlab_host" {
  description = "Host of GitLab, if it is not gitlab.com."
  type        = string
  default     = "gitlab.com"

  validation {
    condition     = can(regex("^[a-z0-9.-]+$", var.gitlab_host))
    error_message = "The gitlab_host must be a host's name, such as gitlab.com."
  }
}

variable "max_session_seconds" {
  description = "How long a job may work with its role, in seconds. A workflow asks for its job's time, at most 21,000."
  type        = number
  default     = 21600

  validation {
    condition     = var.max_session_seconds >= 3600 && var.max_session_seconds <= 43200
    error_message = "The max_session_seconds must be 3600 to 43200, as AWS takes them."
  }
}

variable "name_suffix" {
  description = "The name_suffix of shared-infra/iam, if it has one."
  type        = string
  default     = ""
}

variable "notebook_names" {
  description = "The notebooks that the pipeline deploys, with * where wanted."
  type        = list(string)
  default     = ["*"]
}

variable "oidc_provider_arn" {
  description = "ARN of the OIDC provider that the account has already for the issuer; null makes it."
  type        = string
  default     = null
}

variable "permissions_boundary_arn" {
  description = "ARN of a policy that bounds both roles; null for none."
  type        = string
  default     = null
}

variable "platform" {
  description = "github or gitlab."
  type        = string
  default     = "github"

  validation {
    condition     = can(regex("^(github|gitlab)$", var.platform))
    error_message = "The platform must be github or gitlab."
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

# Repositories that were made on or after 15 July 2026 name themselves with their numbers:
# https://github.com/aws-actions/configure-aws-credentials#immutable-subject-claims
variable "repository" {
  description = "Repository as its tokens name it: acme/notebooks, acme@123/notebooks@456 or group/subgroup/project."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9._-]+(@[0-9]+)?(/[A-Za-z0-9._-]+(@[0-9]+)?)+$", var.repository))
    error_message = "The repository must be such as acme/notebooks or acme@123/notebooks@456: no wildcard."
  }
}

variable "state_bucket" {
  description = "S3 bucket that holds the states, and the plans of the pipeline (common.auto.tfvars)."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.state_bucket))
    error_message = "The state_bucket must be set: tools state bootstrap, then tools state enable."
  }
}

variable "state_prefix" {
  description = "Begins the keys of the states in state_bucket (common.auto.tfvars)."
  type        = string
  default     = "ml-infra"
}

variable "thumbprints" {
  description = "Thumbprints of the issuer's certificate authority; only a private authority needs its own."
  type        = list(string)
  default     = ["ffffffffffffffffffffffffffffffffffffffff"]
}
