variable "create_s3_gateway" {
  description = "Makes the gateway endpoint for S3. Turn it off where the subnets' route tables lead to S3 through one already: AWS refuses a second."
  type        = bool
  default     = true
}

variable "endpoint_policies" {
  description = "Endpoint policies as JSON, by service (s3, sagemaker.api, ...). A service that is not named lets this account's requests through; null gives AWS's own, which allows everything."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for policy in values(var.endpoint_policies) : policy == null ? true : can(jsondecode(policy).Statement)])
    error_message = "The values of endpoint_policies must be policy documents in JSON, with a Statement, or null."
  }
}

variable "interface_services" {
  description = "Services that get an interface endpoint, each paid by the hour and Availability Zone: the last part of the service's name, such as sts or ecr.dkr, or notebook for the way to the notebooks themselves."
  type        = set(string)
  default     = ["sagemaker.api", "sagemaker.runtime", "ec2"]

  validation {
    condition     = alltrue([for service in var.interface_services : can(regex("^[a-z0-9][a-z0-9.-]*$", service)) && !can(regex("^(com|aws)[.]", service))])
    error_message = "The interface_services are short names, such as sagemaker.api, logs or ecr.dkr: leave out com.amazonaws.<region>."
  }

  validation {
    condition     = !contains(var.interface_services, "s3")
    error_message = "The interface_services must not name s3: it has a gateway endpoint already, which is free."
  }
}

variable "nat_subnet" {
  description = "Makes a NAT gateway, paid by the hour, and the default route to it in route_table_ids: in the public subnet of this ID, or in one that is made with this address range of the VPC. null makes none. Notebooks use it if allow_internet_egress of shared-infra/security-groups is on."
  type        = string
  default     = null

  validation {
    condition     = var.nat_subnet == null ? true : can(cidrnetmask(var.nat_subnet)) || can(regex("^subnet-[0-9a-f]{8,17}$", var.nat_subnet))
    error_message = "The nat_subnet must be the ID of a public subnet, such as subnet-0a1b2c3d4e5f67890, or a free address range of the VPC, such as 10.0.255.0/28, or null."
  }
}

variable "private_dns_enabled" {
  description = "Makes the services' public names lead to the endpoints in the whole VPC, which the endpoints admit unless endpoints_for_notebooks_only of shared-infra/security-groups says otherwise. Needs DNS support and DNS hostnames on in the VPC. Turn it off only where the VPC has other endpoints for the same services."
  type        = bool
  default     = true
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

variable "route_table_ids" {
  description = "Route tables that get the way to S3; [] takes those of the subnets. Name the tables of every subnet that has notebooks."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for id in var.route_table_ids : can(regex("^rtb-[0-9a-f]{8,17}$", id))])
    error_message = "The route_table_ids must be IDs of route tables, such as rtb-0a1b2c3d4e5f67890."
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

variable "subnet_ids" {
  description = "Subnets for the interface endpoints, each in another Availability Zone, and for the notebooks, which use the first; [] takes the VPC's default subnet in the first Availability Zone by name. Name them for anything that matters: another first subnet replaces every notebook. Typed only here: notebooks read them from this stack's outputs."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for id in var.subnet_ids : can(regex("^subnet-[0-9a-f]{8,17}$", id))])
    error_message = "The subnet_ids must be IDs of subnets, such as subnet-0a1b2c3d4e5f67890."
  }
}
