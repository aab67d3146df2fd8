# One function: its role, which may do what `statements` say and write its own log; the log; and where what fails goes.

variable "common" {
  description = "name, zip, architecture, log_days, arns: the same for all."
  type = object({
    name = string, zip = string, architecture = string, log_days = number, arns = map(string)
  })
}

variable "task" {
  description = "What it does, as in penstock.hosts.awslambda: collect, deliver, …"
  type        = string
}

variable "memory" {
  type = number
}

variable "timeout" {
  type = number
}

variable "environment" {
  type = map(string)
}

variable "statements" {
  type = list(object({ actions = list(string), resources = list(string) }))
}

variable "image" {
  description = "Instead of the zip."
  type        = string
  default     = ""
}

variable "concurrency" {
  description = "At most so many at once; -1 for as many as there are."
  type        = number
  default     = -1
}

variable "temporary_megabytes" {
  type    = number
  default = 512
}

variable "async" {
  description = "Whether it is called by events that nobody waits for: what still fails then is kept in a queue."
  type        = bool
  default     = false
}

locals {
  name = "${var.common.name}-${var.task}"
  statements = concat(
    var.statements,
    var.async ? [{ actions = ["sqs:SendMessage"], resources = [var.common.arns.failed] }] : [],
    [{ actions = ["logs:CreateLogStream", "logs:PutLogEvents"], resources = ["${var.common.arns.logs}/aws/lambda/${local.name}:*"] }],
  )
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${local.name}"
  retention_in_days = var.common.log_days
}

resource "aws_iam_role" "this" {
  name_prefix = "${local.name}-"
  path        = "/penstock/${var.common.name}/"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "lambda.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy" "this" {
  name = var.task
  role = aws_iam_role.this.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [for s in local.statements : { Effect = "Allow", Action = s.actions, Resource = s.resources }]
  })
}

resource "aws_lambda_function" "this" {
  function_name    = local.name
  role             = aws_iam_role.this.arn
  architectures    = [var.common.architecture]
  memory_size      = var.memory
  timeout          = var.timeout
  package_type     = var.image == "" ? "Zip" : "Image"
  image_uri        = var.image == "" ? null : var.image
  filename         = var.image == "" ? var.common.zip : null
  source_code_hash = var.image == "" ? filebase64sha256(var.common.zip) : null
  runtime          = var.image == "" ? "python3.13" : null
  handler          = var.image == "" ? "penstock.hosts.awslambda.${replace(var.task, "-", "_")}.handler" : null

  reserved_concurrent_executions = var.concurrency

  environment {
    variables = var.environment
  }

  ephemeral_storage {
    size = var.temporary_megabytes
  }

  depends_on = [aws_cloudwatch_log_group.this, aws_iam_role_policy.this]
}

resource "aws_lambda_function_event_invoke_config" "this" {
  count                        = var.async ? 1 : 0
  function_name                = aws_lambda_function.this.function_name
  maximum_event_age_in_seconds = 21600
  maximum_retry_attempts       = 2
  destination_config {
    on_failure {
      destination = var.common.arns.failed
    }
  }
}

output "name" {
  value = aws_lambda_function.this.function_name
}
