"""HCL: the only reader of it, and the only user of python-hcl2."""
