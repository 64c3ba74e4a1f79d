variable "role_arn" {
  description = "Role that SageMaker may assume for the notebook."
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
