variable "bucket" {
  description = "Name of the bucket that holds the states; unlike any other in the world."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.bucket))
    error_message = "The bucket must be an S3 bucket's name: 3 to 63 lower-case letters, digits, dots and hyphens."
  }
}

variable "lock_table" {
  description = "Makes the DynamoDB table terraform-locks, which Terraform below 1.10 locks states with."
  type        = bool
  default     = false
}

variable "noncurrent_version_expiration_days" {
  description = "Days after which an older version of a state is gone, but for the newest noncurrent_versions_kept."
  type        = number
  default     = 90

  validation {
    condition     = can(regex("^[1-9][0-9]*$", var.noncurrent_version_expiration_days))
    error_message = "The noncurrent_version_expiration_days must be a whole number of 1 or more."
  }
}

variable "noncurrent_versions_kept" {
  description = "Older versions of each state that are kept however old they are."
  type        = number
  default     = 20

  # https://docs.aws.amazon.com/AmazonS3/latest/API/API_NoncurrentVersionExpiration.html
  validation {
    condition     = can(regex("^([1-9][0-9]?|100)$", var.noncurrent_versions_kept))
    error_message = "The noncurrent_versions_kept must be a whole number from 1 to 100."
  }
}

variable "plan_expiration_days" {
  description = "Days after which a plan that a pipeline has stored is gone."
  type        = number
  default     = 14

  validation {
    condition     = can(regex("^[1-9][0-9]*$", var.plan_expiration_days))
    error_message = "The plan_expiration_days must be a whole number of 1 or more."
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
