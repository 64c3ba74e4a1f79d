"""What the deploying role needs, derived from what a deployment asks of the emulator."""
