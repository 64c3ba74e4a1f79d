variable "create_s3_gateway" {
  description = "Makes the gateway endpoint for S3. Turn it off if the route tables have one: AWS refuses a second."
  type        = bool
  default     = true
}

variable "endpoint_policies" {
  description = "Endpoint policies as JSON, by service. Without one, this account's requests pass; with null, all do."
  type        = map(string)
  default     = {}

  validation {
    condition = alltrue([
      for policy in values(var.endpoint_policies) : policy == null ? true : can(jsondecode(policy).Statement)
    ])
    error_message = "The values of endpoint_policies must be policy documents in JSON, with a Statement, or null."
  }
}

variable "interface_services" {
  description = "Services that get an interface endpoint, such as sts or ecr.dkr; each is paid by the hour and zone."
  type        = set(string)
  default     = ["sagemaker.api", "sagemaker.runtime", "ec2"]

  validation {
    condition = alltrue([
      for service in var.interface_services :
      can(regex("^[a-z0-9][a-z0-9.-]*$", service)) && !can(regex("^(com|aws)[.]", service))
    ])
    error_message = "The interface_services are names such as logs or ecr.dkr: leave out com.amazonaws.<region>."
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
  description = "Route tables that get the way to S3, of every subnet with notebooks; [] takes those of the subnets."
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
  description = "Subnets of the endpoints. Notebooks use the first: if it changes, each is replaced, its volume lost."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for id in var.subnet_ids : can(regex("^subnet-[0-9a-f]{8,17}$", id))])
    error_message = "The subnet_ids must be IDs of subnets, such as subnet-0a1b2c3d4e5f67890."
  }
}
