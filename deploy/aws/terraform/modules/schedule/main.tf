# A function called by the clock, in UTC.

variable "name" {
  type = string
}

variable "task" {
  type = string
}

variable "expression" {
  type = string
}

variable "arns" {
  type = map(string)
}

variable "function" {
  description = "Its name."
  type        = string
}

resource "aws_iam_role" "this" {
  name_prefix = "${var.name}-call-${var.task}-"
  path        = "/penstock/${var.name}/"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "scheduler.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy" "this" {
  name = "call-${var.task}"
  role = aws_iam_role.this.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["lambda:InvokeFunction"], Resource = ["${var.arns.functions}${var.name}-${var.task}"] }]
  })
}

resource "aws_scheduler_schedule" "this" {
  name                         = "${var.name}-${var.task}"
  schedule_expression          = var.expression
  schedule_expression_timezone = "UTC"
  flexible_time_window {
    mode = "OFF"
  }
  target {
    arn      = "${var.arns.functions}${var.function}"
    role_arn = aws_iam_role.this.arn
    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 3
    }
  }
}
