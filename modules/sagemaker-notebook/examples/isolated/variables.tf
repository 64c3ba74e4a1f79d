variable "bucket_arns" {
  description = "Buckets that the notebook shares."
  type        = list(string)
}

variable "permissions_boundary_arn" {
  description = "Policy that bounds the notebook's role."
  type        = string
}

variable "policy_arns" {
  description = "Policies of the notebook's role, by name."
  type        = map(string)
}

variable "project" {
  description = "Begins the role's name."
  type        = string
}

variable "security_group_ids" {
  description = "Security groups of the notebook."
  type        = list(string)
}

variable "subnet_id" {
  description = "Private subnet of the notebook."
  type        = string
}
