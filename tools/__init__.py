"""Scaffold, deploy and destroy SageMaker notebooks that share Terraform infrastructure."""

SCRATCH = ".tools"  # a folder in the repository that git ignores
