# What AWS counts here is what carries the tag Project, once that is activated as a cost allocation
# tag: https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/activating-tags.html
resource "aws_budgets_budget" "monthly" {
  count = var.monthly_budget_usd == null ? 0 : 1

  name        = "${local.name_prefix}-monthly"
  budget_type = "COST"
  time_unit   = "MONTHLY"
  limit_unit  = "USD"

  # AWS takes no notification without a receiver. Terraform 1.0 knows no precondition: a failing
  # conversion is what carries a message.
  limit_amount = length(var.budget_emails) > 0 ? tostring(var.monthly_budget_usd) : tostring(tobool(
    "monthly_budget_usd needs somebody to tell: set budget_emails"
  ))

  cost_filter {
    name   = "TagKeyValue"
    values = [join("$", ["user:Project", var.project])]
  }

  dynamic "notification" {
    # Below the limit there is still time; a forecast needs about five weeks of bills:
    # https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-best-practices.html
    for_each = [["ACTUAL", 80], ["ACTUAL", 100], ["FORECASTED", 100]]

    content {
      notification_type          = notification.value[0]
      threshold                  = notification.value[1]
      threshold_type             = "PERCENTAGE"
      comparison_operator        = "GREATER_THAN"
      subscriber_email_addresses = var.budget_emails
    }
  }
}
