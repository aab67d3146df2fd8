# `terraform test`: what parameters make, without account or server.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { name = "eu-west-1" }
  }
}

variables {
  hot_zip = "versions.tf" # any file
}

run "defaults" {
  command = plan
  assert {
    condition     = output.stream_url == "kinesis://penstock-events" && output.lake == "s3://penstock-lake-123456789012-eu-west-1"
    error_message = "a stream and a lake"
  }
  assert {
    condition     = output.counters_table == "penstock-counters" && output.page_views_table == ""
    error_message = "counters, and no page views"
  }
}

run "no_stream" {
  command = plan
  variables {
    stream = "none"
  }
  assert {
    condition     = output.stream_url == ""
    error_message = "no stream"
  }
}

run "a_queue_has_one_reader" {
  command = plan
  variables {
    stream     = "sqs"
    page_views = true
  }
  expect_failures = [var.page_views]
}

run "firehose_reads_kinesis" {
  command = plan
  variables {
    stream        = "sqs"
    bronze_writer = "firehose"
  }
  expect_failures = [var.bronze_writer]
}
