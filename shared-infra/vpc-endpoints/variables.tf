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
  description = "Makes a NAT gateway: in this public subnet, or in a new one with this address range. null: none."
  type        = string
  default     = null

  validation {
    condition = var.nat_subnet == null ? true : anytrue([
      can(cidrnetmask(var.nat_subnet)), can(regex("^subnet-[0-9a-f]{8,17}$", var.nat_subnet))
    ])
    error_message = "The nat_subnet must be the ID of a public subnet, a free range such as 10.0.255.0/28, or null."
  }
}

variable "private_dns_enabled" {
  description = "The services' public names lead to the endpoints, in the whole VPC. Needs DNS support there."
  type        = bool
  default     = true
}

variable "project" {
  description = "Begins every name: 2 to 32 lower-case letters, digits and hyphens (common.auto.tfvars)."
  type        = string
}

variable "region" {
  description = "AWS region, such as us-east-1 (common.auto.tfvars)."
  type        = string
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
  description = "S3 bucket that holds the states; null if each root keeps its own (common.auto.tfvars)."
  type        = string
  default     = null
}

variable "state_prefix" {
  description = "Begins the keys of the states in state_bucket (common.auto.tfvars)."
  type        = string
  default     = "ml-infra"
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
