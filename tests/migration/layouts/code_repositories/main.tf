# Repositories of code, one with a secret, and more by URL.

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

provider "aws" {
  region = var.region
}

module "network" {
  source = "../network"
  prefix = var.prefix
}

resource "aws_iam_role" "notebook" {
  name = "${var.prefix}-notebook"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Action    = "sts:AssumeRole"
      Effect    = "Allow"
      Principal = { Service = "sagemaker.amazonaws.com" }
    }]
  })
}

resource "aws_secretsmanager_secret" "git" {
  name = "${var.prefix}/git"
}

resource "aws_secretsmanager_secret_version" "git" {
  secret_id     = aws_secretsmanager_secret.git.id
  secret_string = jsonencode({ username = "bot", password = "x" })
}

resource "aws_sagemaker_code_repository" "main" {
  code_repository_name = "${var.prefix}-models"

  git_config {
    repository_url = "https://example.org/models.git"
    branch         = "main"
    secret_arn     = aws_secretsmanager_secret.git.arn
  }

  depends_on = [aws_secretsmanager_secret_version.git]
}

resource "aws_iam_role_policy" "secret" {
  role = aws_iam_role.notebook.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "secretsmanager:GetSecretValue"
      Resource = aws_secretsmanager_secret.git.arn
    }]
  })
}

resource "aws_sagemaker_notebook_instance" "dev" {
  name                         = "${var.prefix}-dev"
  instance_type                = "ml.t3.medium"
  role_arn                     = aws_iam_role.notebook.arn
  default_code_repository      = aws_sagemaker_code_repository.main.code_repository_name
  additional_code_repositories = ["https://example.org/examples.git"]
  subnet_id                    = module.network.subnet_id
  security_groups              = [module.network.security_group_id]
}
