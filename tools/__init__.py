"""Scaffold, deploy and destroy SageMaker notebooks that share Terraform infrastructure."""
