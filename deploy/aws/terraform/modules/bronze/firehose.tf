# Firehose instead of our own writer: 300 seconds or 128 MB, gzip, the folders of bronze.

module "transform" {
  source      = "../function"
  count       = var.writer == "firehose" ? 1 : 0
  common      = var.function
  task        = "transform"
  memory      = 512
  timeout     = 60
  environment = {}
  statements  = []
}

locals {
  firehose = "${var.function.name}-bronze"
}

resource "aws_cloudwatch_log_group" "firehose" {
  count             = var.writer == "firehose" ? 1 : 0
  name              = "/aws/kinesisfirehose/${local.firehose}"
  retention_in_days = var.function.log_days
}

resource "aws_cloudwatch_log_stream" "firehose" {
  count          = var.writer == "firehose" ? 1 : 0
  name           = "delivery"
  log_group_name = aws_cloudwatch_log_group.firehose[0].name
}

resource "aws_iam_role" "firehose" {
  count       = var.writer == "firehose" ? 1 : 0
  name_prefix = "${local.firehose}-"
  path        = "/penstock/${var.function.name}/"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "firehose.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy" "firehose" {
  count = var.writer == "firehose" ? 1 : 0
  name  = "firehose"
  role  = aws_iam_role.firehose[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = ["kinesis:DescribeStream", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"], Resource = [local.arns.stream] },
      { Effect = "Allow", Action = ["s3:AbortMultipartUpload", "s3:PutObject"], Resource = ["${local.arns.bucket}/bronze/year=*", "${local.arns.bucket}/firehose-errors/*"] },
      { Effect = "Allow", Action = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"], Resource = [local.arns.bucket] },
      { Effect = "Allow", Action = ["lambda:GetFunctionConfiguration", "lambda:InvokeFunction"], Resource = ["${local.arns.functions}${var.function.name}-transform", "${local.arns.functions}${var.function.name}-transform:*"] },
      { Effect = "Allow", Action = ["logs:PutLogEvents"], Resource = ["${local.arns.logs}/aws/kinesisfirehose/${local.firehose}:*"] },
    ]
  })
}

resource "aws_kinesis_firehose_delivery_stream" "this" {
  count       = var.writer == "firehose" ? 1 : 0
  name        = local.firehose
  destination = "extended_s3"

  kinesis_source_configuration {
    kinesis_stream_arn = local.arns.stream
    role_arn           = aws_iam_role.firehose[0].arn
  }

  extended_s3_configuration {
    bucket_arn          = local.arns.bucket
    role_arn            = aws_iam_role.firehose[0].arn
    buffering_interval  = 300
    buffering_size      = 128
    compression_format  = "GZIP"
    prefix              = "bronze/year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/hour=!{timestamp:HH}/minute=!{timestamp:mm}/"
    error_output_prefix = "firehose-errors/!{firehose:error-output-type}/year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/"

    processing_configuration {
      enabled = true
      processors {
        type = "Lambda"
        parameters {
          parameter_name  = "LambdaArn"
          parameter_value = "${local.arns.functions}${module.transform[0].name}:$LATEST"
        }
      }
    }

    cloudwatch_logging_options {
      enabled         = true
      log_group_name  = aws_cloudwatch_log_group.firehose[0].name
      log_stream_name = aws_cloudwatch_log_stream.firehose[0].name
    }
  }

  depends_on = [aws_iam_role_policy.firehose, aws_s3_bucket.lake]
}
