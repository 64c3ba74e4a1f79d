variable "allow_internet_egress" {
  description = "Lets notebooks reach the internet by HTTPS, for pip, conda and Git hosts. They need a NAT gateway in their subnet besides."
  type        = bool
  default     = false
}

variable "endpoint_client_security_group_ids" {
  description = "Security groups of other workloads in the VPC that may reach the endpoints by HTTPS. With private DNS the endpoints answer for their services in the whole VPC, and who is in none of these groups is cut off from those services."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for id in var.endpoint_client_security_group_ids : can(regex("^sg-[0-9a-f]{8,17}$", id))])
    error_message = "The endpoint_client_security_group_ids must be IDs of security groups, such as sg-0a1b2c3d4e5f67890."
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

variable "security_group_names" {
  description = "Names for groups that should not be called <project>-<purpose>, by purpose: notebooks, endpoints. A change replaces the group, which AWS refuses while something is in it."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for purpose in keys(var.security_group_names) : contains(["notebooks", "endpoints"], purpose)])
    error_message = "The keys of security_group_names must be notebooks or endpoints."
  }

  # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
  validation {
    condition     = alltrue([for name in values(var.security_group_names) : can(regex("^[a-zA-Z0-9 ._:/()#,@\\[\\]+=&;{}!$*-]{1,255}$", name)) && !can(regex("^sg-", name))])
    error_message = "The values of security_group_names must be names of security groups: 1 to 255 letters, digits, spaces or any of . _ - : / ( ) # , @ [ ] + = & ; { } ! $ *, and not sg- at the start."
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

variable "vpc_id" {
  description = "VPC of the notebooks and the endpoints; null takes the region's default VPC. Typed only here: the other stacks read it from this one's outputs."
  type        = string
  default     = null

  validation {
    condition     = var.vpc_id == null || can(regex("^vpc-[0-9a-f]{8,17}$", var.vpc_id))
    error_message = "The vpc_id must be a VPC's ID, such as vpc-0a1b2c3d4e5f67890, or null for the default VPC."
  }
}
