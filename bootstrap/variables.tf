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
  description = "Days after which an older version of a state is gone for good, save the newest noncurrent_versions_kept."
  type        = number
  default     = 90

  validation {
    condition     = var.noncurrent_version_expiration_days >= 1 && floor(var.noncurrent_version_expiration_days) == var.noncurrent_version_expiration_days
    error_message = "The noncurrent_version_expiration_days must be a whole number of 1 or more."
  }
}

variable "noncurrent_versions_kept" {
  description = "Older versions of each state that are kept however old they are."
  type        = number
  default     = 20

  # https://docs.aws.amazon.com/AmazonS3/latest/API/API_NoncurrentVersionExpiration.html
  validation {
    condition     = var.noncurrent_versions_kept >= 1 && var.noncurrent_versions_kept <= 100 && floor(var.noncurrent_versions_kept) == var.noncurrent_versions_kept
    error_message = "The noncurrent_versions_kept must be a whole number from 1 to 100."
  }
}

variable "project" {
  description = "Begins the name of everything that is made: 2 to 32 lower-case letters, digits and single hyphens. Typed once, in common.auto.tfvars."
  type        = string

  validation {
    condition     = length(var.project) <= 32 && can(regex("^[a-z](-?[a-z0-9])+$", var.project))
    error_message = "The project must be 2 to 32 lower-case letters, digits and single hyphens, begin with a letter and not end with a hyphen: it becomes part of bucket names, which are at most 63 characters."
  }

  # AWS keeps these beginnings for itself, in the names of security groups and of buckets.
  validation {
    condition     = !can(regex("^(sg|sthree|amzn-s3-demo)(-|$)", var.project))
    error_message = "The project must not begin with sg-, sthree- or amzn-s3-demo-: AWS refuses them at the start of a security group's or a bucket's name."
  }
}

variable "region" {
  description = "AWS region that everything is made in, such as us-east-1. Typed once, in common.auto.tfvars."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2,4}(-[a-z]+)+-[0-9]+$", var.region))
    error_message = "The region must be an AWS region's name, such as us-east-1."
  }
}

variable "state_bucket" {
  description = "S3 bucket that holds the Terraform states; null where each root keeps its state in its own folder. Typed once, in common.auto.tfvars."
  type        = string
  default     = null

  validation {
    condition     = var.state_bucket == null || can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.state_bucket))
    error_message = "The state bucket must be an S3 bucket's name (3 to 63 lower-case letters, digits, dots and hyphens), or null."
  }
}

variable "state_prefix" {
  description = "Begins the keys of the Terraform states in state_bucket: <state_prefix>/<path of the root>/terraform.tfstate. Typed once, in common.auto.tfvars."
  type        = string
  default     = "ml-infra"

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]+(/[a-zA-Z0-9_-]+)*$", var.state_prefix))
    error_message = "The state_prefix must be letters, digits, hyphens and underscores, with single slashes between them, such as ml-infra."
  }
}
