# An account has one provider for each issuer: name yours if there is one already.
resource "aws_iam_openid_connect_provider" "this" {
  count = var.oidc_provider_arn == null ? 1 : 0

  url            = "https://${local.issuer}"
  client_id_list = [local.audience]

  # AWS checks GitHub's and gitlab.com's certificates by its own list of authorities and ignores this;
  # provider 5.0 requires one. A GitLab of your own with a private authority needs its real thumbprint.
  # https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html
  thumbprint_list = var.thumbprints
}
