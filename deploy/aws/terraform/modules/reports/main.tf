# 6 reports: a workgroup of Athena that stops queries that read too much, and two tables over the lake.

variable "name" {
  type = string
}

variable "bucket" {
  type = string
}

variable "scan_gigabytes" {
  type = number
}

locals {
  # What the collector writes around each event, and the event as it was sent: json_extract_scalar(event, '$.event_type').
  wire = ["event_id", "received_at", "source", "dialect", "user_agent", "event"]
  partitions = {
    year  = { range = "2024,2100", digits = "4" }
    month = { range = "1,12", digits = "2" }
    day   = { range = "1,31", digits = "2" }
    hour  = { range = "0,23", digits = "2" }
  }
}

resource "aws_athena_workgroup" "this" {
  name          = var.name
  force_destroy = true
  configuration {
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = true
    bytes_scanned_cutoff_per_query     = var.scan_gigabytes * 1000 * 1000 * 1000
    engine_version {
      selected_engine_version = "Athena engine version 3"
    }
    result_configuration {
      output_location = "s3://${var.bucket}/athena/"
      encryption_configuration {
        encryption_option = "SSE_S3"
      }
    }
  }
  tags = { penstock = var.name }
}

resource "aws_glue_catalog_database" "this" {
  name = replace(var.name, "-", "_")
}

# Silver. Athena takes columns and files from the table's own log, so merged files are not read twice.
resource "aws_glue_catalog_table" "events" {
  name          = "events"
  database_name = aws_glue_catalog_database.this.name
  table_type    = "EXTERNAL_TABLE"
  parameters = {
    EXTERNAL   = "TRUE"
    table_type = "DELTA"
  }
  storage_descriptor {
    location      = "s3://${var.bucket}/silver/events/"
    input_format  = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
    output_format = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"
    ser_de_info {
      serialization_library = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
    }
  }
}

# Bronze as it came, a folder for each hour of arrival, with copies that were sent twice.
resource "aws_glue_catalog_table" "bronze" {
  name          = "bronze"
  database_name = aws_glue_catalog_database.this.name
  table_type    = "EXTERNAL_TABLE"
  parameters = merge(
    {
      EXTERNAL                    = "TRUE"
      classification              = "json"
      "projection.enabled"        = "true"
      "storage.location.template" = "s3://${var.bucket}/bronze/year=$${year}/month=$${month}/day=$${day}/hour=$${hour}/"
    },
    { for key in keys(local.partitions) : "projection.${key}.type" => "integer" },
    { for key, p in local.partitions : "projection.${key}.range" => p.range },
    { for key, p in local.partitions : "projection.${key}.digits" => p.digits },
  )
  dynamic "partition_keys" {
    for_each = ["year", "month", "day", "hour"]
    content {
      name = partition_keys.value
      type = "int"
    }
  }
  storage_descriptor {
    location      = "s3://${var.bucket}/bronze/"
    input_format  = "org.apache.hadoop.mapred.TextInputFormat"
    output_format = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
    dynamic "columns" {
      for_each = local.wire
      content {
        name = columns.value
        type = "string"
      }
    }
    ser_de_info {
      serialization_library = "org.openx.data.jsonserde.JsonSerDe"
      parameters            = { "ignore.malformed.json" = "true" }
    }
  }
}

output "database" {
  value = aws_glue_catalog_database.this.name
}

output "workgroup" {
  value = aws_athena_workgroup.this.name
}
