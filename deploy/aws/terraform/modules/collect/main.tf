# 1 collect: an HTTP API whose every request goes to one function, which answers as the server on one machine does,
# preflights of browsers included. The function can put, and nothing else.

variable "function" {
  type = object({
    name = string, zip = string, architecture = string, log_days = number, arns = map(string)
  })
}

variable "stream" {
  type = string
}

variable "bucket" {
  type = string
}

variable "sources" {
  type      = string
  sensitive = true
}

variable "prefix" {
  type = string
}

variable "requests_per_second" {
  type = number
}

locals {
  put = {
    kinesis = { actions = ["kinesis:PutRecords"], resources = [var.function.arns.stream] }
    sqs     = { actions = ["sqs:GetQueueUrl", "sqs:SendMessage"], resources = [var.function.arns.stream] }
    none    = { actions = ["s3:PutObject"], resources = ["${var.function.arns.bucket}/bronze/year=*", "${var.function.arns.bucket}/bronze/inbox/*"] }
  }
}

module "function" {
  source  = "../function"
  common  = var.function
  task    = "collect"
  memory  = 512
  timeout = 15
  environment = merge({
    PENSTOCK_STREAM_ENABLED  = tostring(var.stream != "none")
    PENSTOCK_LAKE            = "s3://${var.bucket}"
    PENSTOCK_SOURCES         = var.sources
    PENSTOCK_COLLECT__PREFIX = var.prefix
  }, var.stream == "none" ? {} : { PENSTOCK_STREAM__URL = "${var.stream}://${var.function.name}-events" })
  statements = [local.put[var.stream]]
}

resource "aws_apigatewayv2_api" "this" {
  name          = var.function.name
  protocol_type = "HTTP"
}

resource "aws_apigatewayv2_integration" "this" {
  api_id                 = aws_apigatewayv2_api.this.id
  integration_type       = "AWS_PROXY"
  integration_uri        = "${var.function.arns.functions}${module.function.name}"
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_route" "this" {
  api_id    = aws_apigatewayv2_api.this.id
  route_key = "$default"
  target    = "integrations/${aws_apigatewayv2_integration.this.id}"
}

resource "aws_apigatewayv2_stage" "this" {
  api_id      = aws_apigatewayv2_api.this.id
  name        = "$default"
  auto_deploy = true
  default_route_settings {
    throttling_rate_limit  = var.requests_per_second
    throttling_burst_limit = var.requests_per_second
  }
}

resource "aws_lambda_permission" "api" {
  action        = "lambda:InvokeFunction"
  function_name = module.function.name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/*"
}

output "api_id" {
  value = aws_apigatewayv2_api.this.id
}

output "url" {
  value = aws_apigatewayv2_api.this.api_endpoint
}
