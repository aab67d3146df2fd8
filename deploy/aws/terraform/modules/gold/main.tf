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

variable "counters" {
  type = bool
}

variable "page_views" {
  type = bool
}

variable "page_view_days" {
  type = number
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

locals {
  arns = var.function.arns
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
  source_account = split(":", local.arns.failed)[4]
}

resource "aws_s3_bucket_notification" "lake" {
  count  = var.counters ? 1 : 0
  bucket = var.bucket
  dynamic "lambda_function" {
    for_each = ["bronze/year=", var.drop_prefix]
    content {
      lambda_function_arn = module.count[0].arn
      events              = ["s3:ObjectCreated:*"]
      filter_prefix       = lambda_function.value
    }
  }
  depends_on = [aws_lambda_permission.bucket]
}
