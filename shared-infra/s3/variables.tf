variable "abort_incomplete_upload_days" {
  description = "Days after which the parts of an unfinished multipart upload are deleted."
  type        = number
  default     = 7

  validation {
    condition     = can(regex("^[1-9][0-9]*$", var.abort_incomplete_upload_days))
    error_message = "The abort_incomplete_upload_days must be a whole number of 1 or more."
  }
}

variable "access_log_bucket" {
  description = "Existing bucket for S3's access logs, which logging.s3.amazonaws.com may write to; null: none."
  type        = string
  default     = null

  validation {
    condition = var.access_log_bucket == null || can(regex(
      "^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.access_log_bucket
    ))
    error_message = "The access_log_bucket must be null or a bucket's name: 3 to 63 of a-z, 0-9, dots and hyphens."
  }
}

variable "bucket_names" {
  description = "Other bucket names than <project>-<purpose>, by purpose; a further purpose is a further bucket."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for purpose in keys(var.bucket_names) : can(regex("^[a-z](-?[a-z0-9])*$", purpose))])
    error_message = "The keys of bucket_names are purposes: lower-case letters, digits and single hyphens."
  }

  validation {
    condition = alltrue([for name in values(var.bucket_names) : can(regex(
      "^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", name
    ))])
    error_message = "The values of bucket_names must be S3 bucket names: 3 to 63 of a-z, 0-9, dots and hyphens."
  }

  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
  validation {
    condition = alltrue([
      for pattern in ["^(xn--|sthree-|amzn-s3-demo-)", "(-s3alias|--(ol|x|table)-s3|[.]mrap)$", "[.][.]", "^[0-9.]+$"] :
      alltrue([for name in values(var.bucket_names) : !can(regex(pattern, name))])
    ])
    error_message = "The values of bucket_names hold a name that S3 keeps for itself (its bucket naming rules)."
  }
}

variable "bucket_suffix" {
  description = "Ends the bucket names (<project>-datasets-<suffix>) if somebody else has the plain ones already."
  type        = string
  default     = ""

  validation {
    condition     = length(var.bucket_suffix) <= 21 && can(regex("^([a-z0-9]+(-[a-z0-9]+)*)?$", var.bucket_suffix))
    error_message = "The bucket_suffix must be at most 21 lower-case letters, digits and single hyphens between them."
  }

  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
  validation {
    condition     = !can(regex("(^|-)(s3alias|an)$", var.bucket_suffix))
    error_message = "The bucket_suffix must not end with s3alias or an: S3 keeps -s3alias and -an for itself."
  }
}

variable "create_kms_key" {
  description = "Makes a KMS key, $1 a month, for the buckets, log_groups and volumes that ask for it."
  type        = bool
  default     = false
}

variable "force_destroy" {
  description = "Lets `terraform destroy` delete buckets that still hold objects, with all their versions."
  type        = bool
  default     = false
}

variable "kms_key_arn" {
  description = "KMS key that encrypts the objects; null encrypts them with S3's own keys (SSE-S3)."
  type        = string
  default     = null

  validation {
    condition = var.kms_key_arn == null || can(regex(
      "^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.kms_key_arn
    ))
    error_message = "The kms_key_arn must be null or a key's ARN (arn:aws:kms:<region>:<account>:key/<id>), no alias."
  }
}

variable "log_groups" {
  description = "Log groups made here, with the key. Import one that exists first."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for name in var.log_groups : can(regex("^/aws/sagemaker/[a-zA-Z0-9_/.#-]+$", name))])
    error_message = "The log_groups are SageMaker's: their names begin with /aws/sagemaker/, which the key may encrypt."
  }
}

variable "log_retention_days" {
  description = "Days after which lines in log_groups are deleted."
  type        = number
  default     = 365

  # https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
  validation {
    condition = contains([
      1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
    ], var.log_retention_days)
    error_message = "The log_retention_days must be a number that CloudWatch takes, such as 30, 90, 365, 731 or 3653."
  }
}

variable "noncurrent_version_expiration_days" {
  description = "Days after which a replaced or deleted version of an object is gone for good."
  type        = number
  default     = 90

  validation {
    condition     = can(regex("^[1-9][0-9]*$", var.noncurrent_version_expiration_days))
    error_message = "The noncurrent_version_expiration_days must be a whole number of 1 or more."
  }
}

variable "only_through_vpc_endpoints" {
  description = "S3 endpoints that are the only way to the objects, but for these principals; null: no bound."
  type        = object({ endpoint_ids = list(string), except_principal_arns = list(string) })
  default     = null

  validation {
    condition = var.only_through_vpc_endpoints == null ? true : (
      length(var.only_through_vpc_endpoints.endpoint_ids) > 0
      && alltrue([for id in var.only_through_vpc_endpoints.endpoint_ids : can(regex("^vpce-[0-9a-f]{8,17}$", id))])
    )
    error_message = "The endpoint_ids must be one ID of an S3 endpoint or more, such as vpce-0a1b2c3d4e5f67890."
  }

  validation {
    condition = var.only_through_vpc_endpoints == null ? true : (
      length(var.only_through_vpc_endpoints.except_principal_arns) > 0
      && alltrue([for arn in var.only_through_vpc_endpoints.except_principal_arns : can(regex(
        "^arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/.+$", arn
      ))])
    )
    error_message = "The except_principal_arns must name the role or user that runs Terraform: the next plan needs it."
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

variable "transitions" {
  description = "Cheaper storage classes that objects move to, each this many days after their creation."
  type        = list(object({ days = number, storage_class = string }))
  default     = []

  validation {
    condition = alltrue([for transition in var.transitions : contains(
      ["STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"],
      transition.storage_class
    )])
    error_message = "A storage_class is one of STANDARD_IA, INTELLIGENT_TIERING, ONEZONE_IA, GLACIER*, DEEP_ARCHIVE."
  }

  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html
  validation {
    condition = alltrue([
      for transition in var.transitions : floor(transition.days) == transition.days
      && transition.days >= (contains(["STANDARD_IA", "ONEZONE_IA"], transition.storage_class) ? 30 : 0)
    ])
    error_message = "A transition's days must be a whole number from 0, and from 30 for STANDARD_IA and ONEZONE_IA."
  }
}
