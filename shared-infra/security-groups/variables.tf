variable "allow_internet_egress" {
  description = "Lets notebooks reach the internet by HTTPS, for pip, conda and Git hosts. They need a NAT gateway in their subnet besides."
  type        = bool
  default     = false
}

variable "egress_cidrs" {
  description = "Address ranges that notebooks may reach by HTTPS, such as those of endpoints in a central VPC or of a package mirror."
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
  description = "Security groups that notebooks may reach by HTTPS, such as those of endpoints that others made or of a package mirror in the VPC."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for id in var.egress_security_group_ids : can(regex("^sg-[0-9a-f]{8,17}$", id))])
    error_message = "The egress_security_group_ids must be IDs of security groups, such as sg-0a1b2c3d4e5f67890."
  }
}

variable "endpoints_for_notebooks_only" {
  description = "Closes the endpoints to everything but the notebooks. With private DNS the VPC's other workloads then lose the services that have an endpoint, such as SageMaker and EC2."
  type        = bool
  default     = false
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
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]+$", var.region))
    error_message = "The region must be an AWS region's name, such as us-east-1."
  }
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

variable "vpc_id" {
  description = "VPC of the notebooks and the endpoints: its ID, or \"default\" for the region's default VPC, which other workloads may share. It has to be set. Typed only here: the other stacks read it from this one's outputs."
  type        = string
  default     = null

  validation {
    condition     = try(length(var.vpc_id), 0) > 0
    error_message = "The vpc_id must be set in terraform.tfvars: to a VPC's ID, such as \"vpc-0a1b2c3d4e5f67890\", or to \"default\" for the region's default VPC."
  }

  validation {
    condition     = var.vpc_id == null || var.vpc_id == "" || can(regex("^(default|vpc-[0-9a-f]{8,17})$", var.vpc_id))
    error_message = "The vpc_id must be a VPC's ID, such as vpc-0a1b2c3d4e5f67890, or \"default\" for the region's default VPC."
  }
}
