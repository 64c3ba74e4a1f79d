"""The terraform (or tofu) binary: found, run, understood."""
