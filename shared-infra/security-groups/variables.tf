variable "allow_internet_egress" {
  description = "Lets notebooks reach the internet by HTTPS, for pip, conda and Git hosts. They need a NAT gateway too."
  type        = bool
  default     = false
}

variable "egress_cidrs" {
  description = "Address ranges that notebooks may reach by HTTPS, such as a central VPC with endpoints."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for cidr in var.egress_cidrs : can(cidrnetmask(cidr))])
    error_message = "The egress_cidrs must be IPv4 address ranges, such as 10.20.0.0/16."
  }

  validation {
    condition     = alltrue([for cidr in var.egress_cidrs : !can(regex("/0$", cidr))])
    error_message = "The egress_cidrs must not hold every address: for the internet there is allow_internet_egress."
  }
}

variable "egress_security_group_ids" {
  description = "Security groups that notebooks may reach by HTTPS, such as that of a package mirror."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for id in var.egress_security_group_ids : can(regex("^sg-[0-9a-f]{8,17}$", id))])
    error_message = "The egress_security_group_ids must be IDs of security groups, such as sg-0a1b2c3d4e5f67890."
  }
}

variable "endpoints_for_notebooks_only" {
  description = "Closes the endpoints to all but the notebooks; others in the VPC then lose their services."
  type        = bool
  default     = false
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
  description = "Names of the groups notebooks and endpoints. A change replaces one, which AWS refuses while in use."
  type        = map(string)
  default     = {}

  validation {
    condition = alltrue([
      for purpose in keys(var.security_group_names) : contains(["notebooks", "endpoints"], purpose)
    ])
    error_message = "The keys of security_group_names must be notebooks or endpoints."
  }

  # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
  validation {
    condition = alltrue([
      for name in values(var.security_group_names) :
      can(regex("^[a-zA-Z0-9 ._:/()#,@\\[\\]+=&;{}!$*-]{1,255}$", name))
    ])
    error_message = "The values of security_group_names are 1 to 255 letters, digits, spaces or ._-:/()#,@[]+=&;{}!$*."
  }

  validation {
    condition     = alltrue([for name in values(var.security_group_names) : !can(regex("^sg-", name))])
    error_message = "The values of security_group_names must be names of security groups, not IDs (sg-...)."
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
  description = "VPC of all stacks: an ID, or \"default\" for the default VPC. It has to be set."
  type        = string
  default     = null

  validation {
    condition     = try(length(var.vpc_id), 0) > 0
    error_message = "The vpc_id must be set, to the ID of a VPC, or to \"default\" for the region's default VPC."
  }

  validation {
    condition     = var.vpc_id == null || var.vpc_id == "" || can(regex("^(default|vpc-[0-9a-f]{8,17})$", var.vpc_id))
    error_message = "The vpc_id must be a VPC's ID, such as vpc-0a1b2c3d4e5f67890, or \"default\"."
  }
}
