# The stages in order, as in src/penstock/pipeline.py. Each is given the names and ARNs of the others and no resource of
# theirs, so a plan says in full what each function may do before anything is made.

data "aws_caller_identity" "here" {}
data "aws_partition" "here" {}
data "aws_region" "here" {}

locals {
  account   = data.aws_caller_identity.here.account_id
  partition = data.aws_partition.here.partition
  region    = data.aws_region.here.name
  suffix    = "${local.region}:${local.account}"

  bucket = "${var.name}-lake-${local.account}-${local.region}"
  tables = { for table in ["counters", "page-views", "aggregates", "gold"] : table => "${var.name}-${table}" }

  arns = {
    bucket     = "arn:${local.partition}:s3:::${local.bucket}"
    stream     = var.stream == "sqs" ? "arn:${local.partition}:sqs:${local.suffix}:${var.name}-events" : "arn:${local.partition}:kinesis:${local.suffix}:stream/${var.name}-events"
    dead       = "arn:${local.partition}:sqs:${local.suffix}:${var.name}-events-dead"
    failed     = "arn:${local.partition}:sqs:${local.suffix}:${var.name}-failed"
    counters   = "arn:${local.partition}:dynamodb:${local.suffix}:table/${local.tables["counters"]}"
    page_views = "arn:${local.partition}:dynamodb:${local.suffix}:table/${local.tables["page-views"]}"
    aggregates = "arn:${local.partition}:dynamodb:${local.suffix}:table/${local.tables["aggregates"]}"
    gold       = "arn:${local.partition}:dynamodb:${local.suffix}:table/${local.tables["gold"]}"
    logs       = "arn:${local.partition}:logs:${local.suffix}:log-group:"
    functions  = "arn:${local.partition}:lambda:${local.suffix}:function:"
    topics     = "arn:${local.partition}:sns:${local.suffix}:"
    roles      = "arn:${local.partition}:iam::${local.account}:role/penstock/${var.name}/"
  }

  # What all functions have in common.
  function = {
    name         = var.name
    zip          = var.hot_zip
    architecture = var.architecture
    log_days     = var.log_days
    arns         = local.arns
  }

  # What may read the stream: Lambda asks for this on behalf of the function.
  read_stream = var.stream == "sqs" ? [{
    actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    resources = [local.arns.stream]
    }] : [{
    actions   = ["kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"]
    resources = [local.arns.stream]
    }, {
    actions   = ["sqs:SendMessage"]
    resources = [local.arns.failed]
  }]
}

module "collect" {
  source   = "./modules/collect"
  count    = var.collect ? 1 : 0
  function = local.function

  stream              = var.stream
  bucket              = local.bucket
  sources             = var.sources
  prefix              = var.collect_prefix
  requests_per_second = var.requests_per_second
}

module "stream" {
  source = "./modules/stream"

  name            = var.name
  kind            = var.stream
  shards          = var.shards
  retention_hours = var.retention_hours
  arns            = local.arns
}

module "bronze" {
  source     = "./modules/bronze"
  function   = local.function
  depends_on = [module.stream]

  bucket      = local.bucket
  days        = var.bronze_days
  stream      = var.stream
  read_stream = local.read_stream
  writer      = var.stream == "none" ? "none" : var.bronze_writer
  seconds     = var.deliver_seconds
}

module "silver" {
  source     = "./modules/silver"
  count      = var.refine_image == "" ? 0 : 1
  function   = local.function
  depends_on = [module.bronze, module.stream]

  bucket  = local.bucket
  gold    = local.tables["gold"]
  image   = var.refine_image
  minutes = var.refine_minutes
}

module "gold" {
  source     = "./modules/gold"
  function   = local.function
  depends_on = [module.bronze, module.silver, module.stream]

  bucket      = local.bucket
  tables      = local.tables
  refine      = var.refine_image != ""
  firehose    = var.stream == "kinesis" && var.bronze_writer == "firehose"
  counters    = var.counters
  page_views  = var.page_views
  drop_prefix = var.drop_prefix
  stream      = var.stream
  read_stream = local.read_stream
}

module "reports" {
  source     = "./modules/reports"
  count      = var.athena ? 1 : 0
  depends_on = [module.bronze]

  name           = var.name
  bucket         = local.bucket
  scan_gigabytes = var.scan_gigabytes
}

module "operations" {
  source     = "./modules/operations"
  depends_on = [module.stream]

  name            = var.name
  arns            = local.arns
  email           = var.alarm_email
  budget_dollars  = var.budget_dollars
  retention_hours = var.retention_hours
  api_id          = one(module.collect[*].api_id)
  collect         = var.collect
  stream          = var.stream
  firehose        = var.stream == "kinesis" && var.bronze_writer == "firehose"
  readers = [for name, is_there in {
    deliver    = var.bronze_writer == "lambda"
    page-views = var.page_views
  } : name if is_there && var.stream == "kinesis"]
  functions = [for name, is_there in {
    collect    = var.collect
    deliver    = var.stream != "none" && var.bronze_writer == "lambda"
    transform  = var.stream == "kinesis" && var.bronze_writer == "firehose"
    refine     = var.refine_image != ""
    count      = var.counters
    page-views = var.page_views
    aggregate  = var.page_views
  } : name if is_there]
}
