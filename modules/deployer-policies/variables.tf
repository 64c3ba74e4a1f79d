variable "account_id" {
  description = "Number of the account that is deployed to."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "The account_id must be an AWS account's number, 12 digits."
  }
}

variable "bucket_names" {
  description = "The shared buckets, with * where wanted; null: <project>-datasets* and <project>-models*."
  type        = list(string)
  default     = null
}

variable "name_suffix" {
  description = "The name_suffix of shared-infra/iam, if it has one."
  type        = string
  default     = ""
}

variable "notebook_names" {
  description = "The notebooks, with * where wanted. Where other teams share the account, name yours: [\"nlp-*\"]."
  type        = list(string)
  default     = ["*"]
}

variable "partition" {
  description = "AWS partition, such as aws, aws-cn or aws-us-gov."
  type        = string
  default     = "aws"
}

variable "project" {
  description = "Project of the shared infrastructure, which begins its names."
  type        = string
}

variable "region" {
  description = "AWS region that everything is made in."
  type        = string
}

variable "role_name" {
  description = "The shared role, with its path if it has one (ml/old-role); null: <project>-notebook."
  type        = string
  default     = null
}

variable "state_bucket" {
  description = "S3 bucket that holds the states; null if each root keeps its state in its own directory."
  type        = string
  default     = null
}

variable "state_prefix" {
  description = "Begins the keys of the states in state_bucket."
  type        = string
  default     = "ml-infra"
}
