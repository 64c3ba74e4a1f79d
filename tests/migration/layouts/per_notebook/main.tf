# A module for each notebook, called with for_each: each has a role, a group and scripts of its own.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "prefix" {
  type = string
}

variable "region" {
  type = string
}

variable "notebooks" {
  type = map(object({ type = string, size = number }))
  default = {
    ada = { type = "ml.t3.medium", size = 10 }
    ben = { type = "ml.t3.large", size = 20 }
  }
}

provider "aws" {
  region = var.region
}

module "network" {
  source = "../network"
  prefix = var.prefix
}

module "notebook" {
  source   = "./notebook"
  for_each = var.notebooks

  name   = "${var.prefix}-${each.key}"
  type   = each.value.type
  size   = each.value.size
  vpc    = module.network.vpc_id
  subnet = module.network.subnet_id
}
