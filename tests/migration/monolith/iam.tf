resource "aws_iam_role" "sagemaker" {
  name = "${var.prefix}-sagemaker"
  path = "/service-role/"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "sagemaker.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "full_access" {
  role       = aws_iam_role.sagemaker.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
}

resource "aws_iam_policy" "buckets" {
  name = "${var.prefix}-buckets"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["s3:ListBucket", "s3:GetObject", "s3:PutObject"]
      Resource = ["arn:aws:s3:::${var.prefix}-*"]
    }]
  })
}

resource "aws_iam_role_policy_attachment" "buckets" {
  role       = aws_iam_role.sagemaker.name
  policy_arn = aws_iam_policy.buckets.arn
}

resource "aws_iam_role_policy" "secrets" {
  name = "secrets"
  role = aws_iam_role.sagemaker.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "secretsmanager:GetSecretValue"
      Resource = "arn:aws:secretsmanager:us-east-1:${data.aws_caller_identity.current.account_id}:secret:${var.prefix}/*"
    }]
  })
}
