"""What runs inside of LocalStack: SageMaker, and fixes for what it gets wrong."""
