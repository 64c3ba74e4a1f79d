# Only the management account of an organization, or an account in none, may activate a tag, and AWS knows one
# about a day after the first resource has carried it:
# https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/activating-tags.html
resource "aws_ce_cost_allocation_tag" "this" {
  for_each = var.cost_allocation_tags

  tag_key = each.value
  status  = "Active"
}
