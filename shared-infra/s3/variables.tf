variable "abort_incomplete_upload_days" {
  description = "Days after which the parts of an unfinished multipart upload are deleted."
  type        = number
  default     = 7

  validation {
    condition     = var.abort_incomplete_upload_days >= 1 && floor(var.abort_incomplete_upload_days) == var.abort_incomplete_upload_days
    error_message = "The abort_incomplete_upload_days must be a whole number of 1 or more."
  }
}

variable "access_log_bucket" {
  description = "Existing bucket that receives the S3 access logs, under <bucket name>/; null writes none. It must let logging.s3.amazonaws.com put objects."
  type        = string
  default     = null

  validation {
    condition     = var.access_log_bucket == null || can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.access_log_bucket))
    error_message = "The access_log_bucket must be an S3 bucket's name (3 to 63 lower-case letters, digits, dots and hyphens), or null."
  }
}

variable "bucket_names" {
  description = "Names for buckets that should not be called <project>-<purpose>, by purpose (datasets, models). A further purpose makes a further shared bucket, which the role can use too."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for purpose in keys(var.bucket_names) : can(regex("^[a-z](-?[a-z0-9])*$", purpose))])
    error_message = "The keys of bucket_names are purposes, such as datasets: lower-case letters, digits and single hyphens."
  }

  validation {
    condition     = alltrue([for name in values(var.bucket_names) : can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", name))])
    error_message = "The values of bucket_names must be S3 bucket names: 3 to 63 lower-case letters, digits, dots and hyphens."
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
  description = "Ends the bucket names (<project>-datasets-<suffix>) where somebody else already has the plain ones: at most 21 lower-case letters, digits and hyphens."
  type        = string
  default     = ""

  validation {
    condition     = length(var.bucket_suffix) <= 21 && can(regex("^([a-z0-9]+(-[a-z0-9]+)*)?$", var.bucket_suffix))
    error_message = "The bucket_suffix must be at most 21 lower-case letters, digits and single hyphens between them: bucket names are at most 63 characters."
  }

  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
  validation {
    condition     = !can(regex("(^|-)(s3alias|an)$", var.bucket_suffix))
    error_message = "The bucket_suffix must not end with s3alias or an: S3 keeps names that end with -s3alias or -an for itself."
  }
}

variable "create_kms_key" {
  description = "Makes a KMS key, rotated every year, for the buckets, log_groups and the volumes of notebooks that ask for it. It costs $1 a month, and the objects are lost with it: AWS deletes it 30 days after its destruction."
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
    condition     = var.kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "The kms_key_arn must be the ARN of a KMS key (arn:aws:kms:<region>:<account>:key/<id>), or null; an alias does not work in IAM policies."
  }
}

variable "log_groups" {
  description = "Log groups of SageMaker, such as /aws/sagemaker/NotebookInstances, that are made here, with the key and an end. One that exists already has to be imported first."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for name in var.log_groups : can(regex("^/aws/sagemaker/[a-zA-Z0-9_/.#-]+$", name))])
    error_message = "The log_groups are SageMaker's: their names begin with /aws/sagemaker/, which is what the key may encrypt."
  }
}

variable "log_retention_days" {
  description = "Days after which lines in log_groups are deleted."
  type        = number
  default     = 365

  # https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "The log_retention_days must be a number that CloudWatch takes, such as 30, 90, 365, 731 or 3653."
  }
}

variable "noncurrent_version_expiration_days" {
  description = "Days after which a replaced or deleted version of an object is gone for good."
  type        = number
  default     = 90

  validation {
    condition     = var.noncurrent_version_expiration_days >= 1 && floor(var.noncurrent_version_expiration_days) == var.noncurrent_version_expiration_days
    error_message = "The noncurrent_version_expiration_days must be a whole number of 1 or more."
  }
}

variable "only_through_vpc_endpoints" {
  description = "Lets nobody read, write or list objects but through these S3 endpoints, save the principals named (ARNs of IAM roles and users; * where wanted): those that run Terraform, which looks for the buckets, and people without a way through the VPC. null: no such bound."
  type        = object({ endpoint_ids = list(string), except_principal_arns = list(string) })
  default     = null

  validation {
    condition     = var.only_through_vpc_endpoints == null ? true : length(var.only_through_vpc_endpoints.endpoint_ids) > 0 && alltrue([for id in var.only_through_vpc_endpoints.endpoint_ids : can(regex("^vpce-[0-9a-f]{8,17}$", id))])
    error_message = "The endpoint_ids must be IDs of S3 endpoints, one at least, such as vpce-0a1b2c3d4e5f67890: output endpoint_ids of shared-infra/vpc-endpoints."
  }

  validation {
    condition     = var.only_through_vpc_endpoints == null ? true : length(var.only_through_vpc_endpoints.except_principal_arns) > 0 && alltrue([for arn in var.only_through_vpc_endpoints.except_principal_arns : can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/.+$", arn))])
    error_message = "The except_principal_arns must name the IAM role or user that runs Terraform (arn:aws:iam::<account>:role/<name>), one at least: AWS would refuse it the next plan."
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
    condition     = alltrue([for transition in var.transitions : contains(["STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"], transition.storage_class)])
    error_message = "A transition's storage_class must be STANDARD_IA, INTELLIGENT_TIERING, ONEZONE_IA, GLACIER_IR, GLACIER or DEEP_ARCHIVE."
  }

  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html
  validation {
    condition     = alltrue([for transition in var.transitions : transition.days >= (contains(["STANDARD_IA", "ONEZONE_IA"], transition.storage_class) ? 30 : 0) && floor(transition.days) == transition.days])
    error_message = "A transition's days must be a whole number of 0 or more, and 30 or more for STANDARD_IA and ONEZONE_IA."
  }
}
