# Stream → page views, one by one → every night how many views and visitors each page had

resource "aws_dynamodb_table" "page_views" {
  count        = var.page_views ? 1 : 0
  name         = var.tables["page-views"]
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
  attribute {
    name = "day"
    type = "S"
  }
  global_secondary_index {
    name            = "by_day"
    hash_key        = "day"
    range_key       = "sk"
    projection_type = "ALL"
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

resource "aws_dynamodb_table" "aggregates" {
  count        = var.page_views ? 1 : 0
  name         = var.tables["aggregates"]
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

module "page_views" {
  source  = "../function"
  count   = var.page_views ? 1 : 0
  common  = var.function
  task    = "page-views"
  memory  = 512
  timeout = 60
  environment = {
    PENSTOCK_PAGE_VIEWS_TABLE = var.tables["page-views"]
  }
  statements = concat(var.read_stream, [
    { actions = ["dynamodb:BatchWriteItem"], resources = [local.arns.page_views] },
  ])
}

resource "aws_lambda_event_source_mapping" "kinesis" {
  count                              = var.page_views && var.stream == "kinesis" ? 1 : 0
  event_source_arn                   = local.arns.stream
  function_name                      = module.page_views[0].name
  batch_size                         = 500
  maximum_batching_window_in_seconds = 5
  starting_position                  = "TRIM_HORIZON"
  bisect_batch_on_function_error     = true
  maximum_retry_attempts             = 10
  maximum_record_age_in_seconds      = -1
  function_response_types            = ["ReportBatchItemFailures"]
  destination_config {
    on_failure {
      destination_arn = local.arns.failed
    }
  }
}

resource "aws_lambda_event_source_mapping" "sqs" {
  count                              = var.page_views && var.stream == "sqs" ? 1 : 0
  event_source_arn                   = local.arns.stream
  function_name                      = module.page_views[0].name
  batch_size                         = 100
  maximum_batching_window_in_seconds = 5
  function_response_types            = ["ReportBatchItemFailures"]
}

module "aggregate" {
  source  = "../function"
  count   = var.page_views ? 1 : 0
  common  = var.function
  task    = "aggregate"
  memory  = 1024
  timeout = 900
  async   = true
  environment = {
    PENSTOCK_PAGE_VIEWS_TABLE = var.tables["page-views"]
    PENSTOCK_AGGREGATES_TABLE = var.tables["aggregates"]
  }
  statements = [
    { actions = ["dynamodb:Query"], resources = ["${local.arns.page_views}/index/by_day"] },
    { actions = ["dynamodb:BatchWriteItem"], resources = [local.arns.aggregates] },
  ]
}

module "schedule" {
  source     = "../schedule"
  count      = var.page_views ? 1 : 0
  name       = var.function.name
  task       = "aggregate"
  expression = "cron(30 0 * * ? *)"
  arns       = local.arns
  function   = module.aggregate[0].name
}
