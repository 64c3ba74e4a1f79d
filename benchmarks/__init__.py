"""What this project says of its speed, measured: `make benchmark`, or `python -m benchmarks`."""
