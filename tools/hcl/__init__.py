"""HCL: the only reader and writer of it."""
