# Who is told of trouble: alarms on every function, on events that grow old, on queues of failures; and a budget.

variable "name" {
  type = string
}

variable "arns" {
  type = map(string)
}

variable "email" {
  type = string
}

variable "budget_dollars" {
  type = number
}

variable "retention_hours" {
  type = number
}

variable "api_id" {
  type = string
}

variable "collect" {
  type = bool
}

variable "stream" {
  type = string
}

variable "firehose" {
  type = bool
}

variable "readers" {
  description = "Functions that read from Kinesis."
  type        = list(string)
}

variable "functions" {
  type = list(string)
}

locals {
  topic        = "${var.arns.topics}${aws_sns_topic.alarms.name}"
  half_seconds = var.retention_hours * 3600 / 2

  alarms = merge(
    { for task in var.functions : "${task}-errors" => {
      namespace = "AWS/Lambda", metric = "Errors", statistic = "Sum", above = 0, dimensions = { FunctionName = "${var.name}-${task}" }
    } },
    { for task in var.functions : "${task}-throttles" => {
      namespace = "AWS/Lambda", metric = "Throttles", statistic = "Sum", above = 0, dimensions = { FunctionName = "${var.name}-${task}" }
    } },
    { for task in var.readers : "${task}-behind" => {
      namespace = "AWS/Lambda", metric = "IteratorAge", statistic = "Maximum", above = local.half_seconds * 1000, dimensions = { FunctionName = "${var.name}-${task}" }
    } },
    { failed = {
      namespace = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", statistic = "Maximum", above = 0, dimensions = { QueueName = "${var.name}-failed" }
    } },
    var.collect ? { unavailable = {
      namespace = "AWS/ApiGateway", metric = "5xx", statistic = "Sum", above = 0, dimensions = { ApiId = var.api_id }
    } } : {},
    var.stream == "kinesis" ? { refused = {
      namespace = "AWS/Kinesis", metric = "WriteProvisionedThroughputExceeded", statistic = "Sum", above = 0, dimensions = { StreamName = "${var.name}-events" }
    } } : {},
    var.stream == "sqs" ? {
      dead = {
        namespace = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", statistic = "Maximum", above = 0, dimensions = { QueueName = "${var.name}-events-dead" }
      }
      behind = {
        namespace = "AWS/SQS", metric = "ApproximateAgeOfOldestMessage", statistic = "Maximum", above = local.half_seconds, dimensions = { QueueName = "${var.name}-events" }
      }
    } : {},
    var.firehose ? { behind = {
      namespace = "AWS/Firehose", metric = "DeliveryToS3.DataFreshness", statistic = "Maximum", above = local.half_seconds, dimensions = { DeliveryStreamName = "${var.name}-bronze" }
    } } : {},
  )
}

resource "aws_sns_topic" "alarms" {
  name = "${var.name}-alarms"
}

resource "aws_sns_topic_subscription" "email" {
  count     = var.email == "" ? 0 : 1
  topic_arn = local.topic
  protocol  = "email"
  endpoint  = var.email
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each            = local.alarms
  alarm_name          = "${var.name}-${each.key}"
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.above
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [local.topic]
  ok_actions          = [local.topic]
}

resource "aws_budgets_budget" "this" {
  count        = var.budget_dollars == 0 ? 0 : 1
  name         = var.name
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = tostring(var.budget_dollars)
  limit_unit   = "USD"

  cost_filter {
    name   = "TagKeyValue"
    values = [format("user:penstock$%s", var.name)]
  }

  notification {
    notification_type          = "ACTUAL"
    comparison_operator        = "GREATER_THAN"
    threshold                  = 80
    threshold_type             = "PERCENTAGE"
    subscriber_email_addresses = [var.email]
  }

  notification {
    notification_type          = "FORECASTED"
    comparison_operator        = "GREATER_THAN"
    threshold                  = 100
    threshold_type             = "PERCENTAGE"
    subscriber_email_addresses = [var.email]
  }
}
