variable "project" {
  description = "Begins every name: 2 to 32 lower-case letters, digits and single hyphens."
  type        = string

  # Bucket names are at most 63 characters, and the project is a part of them.
  validation {
    condition     = length(var.project) <= 32 && can(regex("^[a-z](-?[a-z0-9])+$", var.project))
    error_message = "The project must be 2 to 32 lower-case letters, digits and single hyphens, a letter first."
  }

  # AWS keeps these beginnings for itself, in the names of security groups and of buckets.
  validation {
    condition     = !can(regex("^(sg|sthree|amzn-s3-demo)(-|$)", var.project))
    error_message = "The project must not begin with sg-, sthree- or amzn-s3-demo-: AWS refuses names that do."
  }
}

variable "reads" {
  description = "The shared stacks whose outputs the root reads, such as [\"iam\", \"s3\"]."
  type        = list(string)
  default     = []
}

variable "region" {
  description = "AWS region, such as us-east-1."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2,4}(-[a-z]+)+-[0-9]+$", var.region))
    error_message = "The region must be an AWS region's name, such as us-east-1."
  }
}

variable "state_bucket" {
  description = "S3 bucket that holds the states; null if each root keeps its state in its own directory."
  type        = string
  default     = null

  validation {
    condition     = var.state_bucket == null || can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.state_bucket))
    error_message = "The state_bucket must be null or a bucket's name: 3 to 63 of a-z, 0-9, dots and hyphens."
  }
}

variable "state_prefix" {
  description = "Begins the keys of the states in state_bucket: <state_prefix>/<root>/terraform.tfstate."
  type        = string
  default     = "ml-infra"

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]+(/[a-zA-Z0-9_-]+)*$", var.state_prefix))
    error_message = "The state_prefix must be letters, digits, - and _, with single slashes between, as in ml-infra."
  }
}
