"""The idle auto-stop and the lifecycle configuration that carries it, run for real."""
