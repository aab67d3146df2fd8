# 2 stream: a Kinesis stream, or a queue with one for messages that nobody could take; and the queue for what functions
# could not do: files and batches that failed to the end, each with its error and where it lies.

variable "name" {
  type = string
}

variable "kind" {
  type = string
}

variable "shards" {
  type = number
}

variable "retention_hours" {
  type = number
}

variable "arns" {
  type = map(string)
}

locals {
  keep_failed_seconds = 14 * 24 * 3600
  tries               = 5
}

resource "aws_kinesis_stream" "this" {
  count            = var.kind == "kinesis" ? 1 : 0
  name             = "${var.name}-events"
  shard_count      = var.shards == 0 ? null : var.shards
  retention_period = var.retention_hours
  encryption_type  = "KMS"
  kms_key_id       = "alias/aws/kinesis"
  stream_mode_details {
    stream_mode = var.shards == 0 ? "ON_DEMAND" : "PROVISIONED"
  }
}

resource "aws_sqs_queue" "this" {
  count                      = var.kind == "sqs" ? 1 : 0
  name                       = "${var.name}-events"
  message_retention_seconds  = var.retention_hours * 3600
  visibility_timeout_seconds = 660 # six times the function's timeout, and the longest that a batch may wait
  sqs_managed_sse_enabled    = true
  redrive_policy             = jsonencode({ deadLetterTargetArn = var.arns.dead, maxReceiveCount = local.tries })
  depends_on                 = [aws_sqs_queue.dead]
}

resource "aws_sqs_queue" "dead" {
  count                     = var.kind == "sqs" ? 1 : 0
  name                      = "${var.name}-events-dead"
  message_retention_seconds = local.keep_failed_seconds
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue" "failed" {
  name                      = "${var.name}-failed"
  message_retention_seconds = local.keep_failed_seconds
  sqs_managed_sse_enabled   = true
}
