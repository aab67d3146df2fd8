# 5 gold: numbers that are asked often, in tables of DynamoDB that cost by use.

variable "function" {
  type = object({
    name = string, zip = string, architecture = string, log_days = number, arns = map(string)
  })
}

variable "bucket" {
  type = string
}

variable "tables" {
  type = map(string)
}

variable "refine" {
  type = bool
}

variable "counters" {
  type = bool
}

variable "page_views" {
  type = bool
}

variable "drop_prefix" {
  type = string
}

variable "stream" {
  type = string
}

variable "read_stream" {
  type = list(object({ actions = list(string), resources = list(string) }))
}

variable "firehose" {
  type = bool
}

locals {
  arns         = var.function.arns
  account      = split(":", local.arns.failed)[4]
  tells_refine = var.firehose && var.refine
  told = merge(
    var.counters ? { "bronze/year=" = "count", (var.drop_prefix) = "count" } : {},
    local.tells_refine ? { "bronze/year=" = "refine" } : {},
  )
}

# What `rollup` makes of silver

resource "aws_dynamodb_table" "gold" {
  count        = var.refine ? 1 : 0
  name         = var.tables["gold"]
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "pk"
  range_key    = "sk"
  attribute {
    name = "pk"
    type = "S"
  }
  attribute {
    name = "sk"
    type = "S"
  }
  point_in_time_recovery {
    enabled = true
  }
  server_side_encryption {
    enabled = true
  }
}

# Files that land in the bucket → how many of each event in each hour

resource "aws_dynamodb_table" "counters" {
  count        = var.counters ? 1 : 0
  name         = var.tables["counters"]
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "pk"
  range_key    = "sk"
  attribute {
    name = "pk"
    type = "S"
  }
  attribute {
    name = "sk"
    type = "S"
  }
  ttl {
    attribute_name = "expires_at"
    enabled        = true
  }
  point_in_time_recovery {
    enabled = true
  }
  server_side_encryption {
    enabled = true
  }
}

module "count" {
  source  = "../function"
  count   = var.counters ? 1 : 0
  common  = var.function
  task    = "count"
  memory  = 512
  timeout = 300
  async   = true
  environment = {
    PENSTOCK_COUNTERS_TABLE = var.tables["counters"]
  }
  statements = [
    { actions = ["s3:GetObject"], resources = ["${local.arns.bucket}/bronze/year=*", "${local.arns.bucket}/${var.drop_prefix}*"] },
    { actions = ["dynamodb:PutItem", "dynamodb:UpdateItem"], resources = [local.arns.counters] },
  ]
}

resource "aws_lambda_permission" "bucket" {
  count          = var.counters ? 1 : 0
  action         = "lambda:InvokeFunction"
  function_name  = module.count[0].name
  principal      = "s3.amazonaws.com"
  source_arn     = local.arns.bucket
  source_account = local.account
}

# Our own writers announce their objects to silver. Firehose does not, and S3 tells each object to one function only: so
# then it is refine, and of bronze gold counts.
resource "aws_lambda_permission" "refine" {
  count          = local.tells_refine ? 1 : 0
  action         = "lambda:InvokeFunction"
  function_name  = "${var.function.name}-refine"
  principal      = "s3.amazonaws.com"
  source_arn     = local.arns.bucket
  source_account = local.account
}

resource "aws_s3_bucket_notification" "lake" {
  count  = length(local.told) > 0 ? 1 : 0
  bucket = var.bucket
  dynamic "lambda_function" {
    for_each = local.told
    content {
      lambda_function_arn = "${local.arns.functions}${var.function.name}-${lambda_function.value}"
      events              = ["s3:ObjectCreated:*"]
      filter_prefix       = lambda_function.key
    }
  }
  depends_on = [aws_lambda_permission.bucket, aws_lambda_permission.refine]
}
