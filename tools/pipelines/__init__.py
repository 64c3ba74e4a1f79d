"""Pipelines: their files, and the steps that these call."""
