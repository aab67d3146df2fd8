# 3 bronze: the bucket, and what carries the stream into it. No access log of requests is kept: it would hold addresses
# of people. No function may delete what lies in bronze; only `bronze_days` does, or the owner of the account.

variable "function" {
  type = object({
    name = string, zip = string, architecture = string, log_days = number, arns = map(string)
  })
}

variable "bucket" {
  type = string
}

variable "days" {
  type = number
}

variable "stream" {
  type = string
}

variable "read_stream" {
  type = list(object({ actions = list(string), resources = list(string) }))
}

variable "writer" {
  type = string
}

variable "seconds" {
  type = number
}

locals {
  arns = var.function.arns
}

resource "aws_s3_bucket" "lake" {
  bucket = var.bucket
}

resource "aws_s3_bucket_public_access_block" "lake" {
  bucket                  = aws_s3_bucket.lake.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "lake" {
  bucket = aws_s3_bucket.lake.id
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_ownership_controls" "lake" {
  bucket = aws_s3_bucket.lake.id
  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "lake" {
  bucket = aws_s3_bucket.lake.id

  rule {
    id     = "uploads"
    status = "Enabled"
    filter {
      prefix = ""
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
  rule {
    id     = "answers"
    status = "Enabled"
    filter {
      prefix = "athena/"
    }
    expiration {
      days = 7
    }
  }
  dynamic "rule" {
    for_each = var.days == 0 ? [] : [var.days]
    content {
      id     = "bronze"
      status = "Enabled"
      filter {
        prefix = "bronze/year="
      }
      expiration {
        days = rule.value
      }
    }
  }
}

resource "aws_s3_bucket_policy" "lake" {
  bucket = aws_s3_bucket.lake.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "OnlyEncrypted"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = [local.arns.bucket, "${local.arns.bucket}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        Sid       = "NoFunctionDeletesBronze"
        Effect    = "Deny"
        Principal = "*"
        Action    = ["s3:DeleteObject", "s3:DeleteObjectVersion"]
        Resource  = ["${local.arns.bucket}/bronze/year=*"]
        Condition = { ArnLike = { "aws:PrincipalArn" = "${local.arns.roles}*" } }
      },
    ]
  })
  depends_on = [aws_s3_bucket_public_access_block.lake]
}

# Our own writer: one object per batch, under a key that a repeated batch has again.

module "deliver" {
  source  = "../function"
  count   = var.writer == "lambda" ? 1 : 0
  common  = var.function
  task    = "deliver"
  memory  = 512
  timeout = 60
  environment = {
    PENSTOCK_LAKE = "s3://${var.bucket}"
  }
  statements = concat(var.read_stream, [
    { actions = ["s3:PutObject"], resources = ["${local.arns.bucket}/bronze/year=*", "${local.arns.bucket}/bronze/inbox/*"] },
  ])
}

# It puts what it is given as it is, so only trouble of S3 can fail it: it tries as long as the stream keeps the events,
# and the alarm on their age comes at half of that.
resource "aws_lambda_event_source_mapping" "kinesis" {
  count                              = var.writer == "lambda" && var.stream == "kinesis" ? 1 : 0
  event_source_arn                   = local.arns.stream
  function_name                      = module.deliver[0].name
  batch_size                         = 5000
  maximum_batching_window_in_seconds = var.seconds
  starting_position                  = "TRIM_HORIZON"
  bisect_batch_on_function_error     = true
  maximum_retry_attempts             = -1
  maximum_record_age_in_seconds      = -1
  function_response_types            = ["ReportBatchItemFailures"]
  destination_config {
    on_failure {
      destination_arn = local.arns.failed
    }
  }
}

resource "aws_lambda_event_source_mapping" "sqs" {
  count                              = var.writer == "lambda" && var.stream == "sqs" ? 1 : 0
  event_source_arn                   = local.arns.stream
  function_name                      = module.deliver[0].name
  batch_size                         = 1000
  maximum_batching_window_in_seconds = var.seconds
  function_response_types            = ["ReportBatchItemFailures"]
}
