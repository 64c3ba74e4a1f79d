"""SageMaker notebook instances for LocalStack. Imports nothing of the package around it."""
