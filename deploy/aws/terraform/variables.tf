# The parameters of ../cloudformation/penstock.yaml, under the same names in snake_case. docs/aws.md explains them.

variable "name" {
  description = "What every name begins with; a second stack needs another."
  type        = string
  default     = "penstock"
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "3 to 20 lower case letters, digits and hyphens."
  }
}

# What there is of the pipeline

variable "collect" {
  description = "An HTTP API that takes events."
  type        = bool
  default     = true
}

variable "stream" {
  description = "kinesis, sqs, or none: the collector then writes to bronze itself, which saves the stream's price."
  type        = string
  default     = "kinesis"
  validation {
    condition     = contains(["kinesis", "sqs", "none"], var.stream)
    error_message = "kinesis, sqs or none."
  }
}

variable "bronze_writer" {
  description = "What carries the stream to bronze: lambda, firehose (kinesis only), or none."
  type        = string
  default     = "lambda"
  validation {
    condition     = contains(["lambda", "firehose", "none"], var.bronze_writer)
    error_message = "lambda, firehose or none."
  }
  validation {
    condition     = var.bronze_writer != "firehose" || var.stream == "kinesis"
    error_message = "Firehose reads from kinesis only."
  }
}

variable "counters" {
  description = "Files that land in the bucket are counted, per event and hour."
  type        = bool
  default     = true
}

variable "page_views" {
  description = "Page views from the stream into a table, and every day into an aggregate by page."
  type        = bool
  default     = false
  validation {
    condition     = !var.page_views || var.stream != "none"
    error_message = "Page views come from the stream: kinesis or sqs."
  }
  validation {
    condition     = !var.page_views || var.stream != "sqs" || var.bronze_writer == "none"
    error_message = "A queue has one reader: with sqs, page_views needs bronze_writer = none, or take kinesis."
  }
}

variable "athena" {
  description = "Tables and a workgroup to ask bronze and silver with SQL."
  type        = bool
  default     = true
}

variable "refine_image" {
  description = "Container image (in ECR, this region) that makes silver of bronze; empty for none."
  type        = string
  default     = ""
}

# The code

variable "hot_zip" {
  description = "Path of hot.zip, as `python -m penstock.hosts.awslambda.package` makes it."
  type        = string
}

variable "architecture" {
  description = "arm64 or x86_64; the zip and the image are made for one of them."
  type        = string
  default     = "arm64"
  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "arm64 or x86_64."
  }
}

variable "sources" {
  description = "Who may send, as in the settings: JSON, [{\"name\": …, \"write_key\": …}]. Empty means anybody."
  type        = string
  default     = "[]"
  sensitive   = true
}

variable "collect_prefix" {
  description = "Where the events are taken beside /v1/events."
  type        = string
  default     = "/a"
}

variable "drop_prefix" {
  description = "Folder of the bucket into which others put files to be counted."
  type        = string
  default     = "segment-logs/"
}

# How much, how long

variable "shards" {
  description = "Of the Kinesis stream; 0 for on demand."
  type        = number
  default     = 1
}

variable "retention_hours" {
  description = "How long the stream keeps an event: 24, 48, 72, 168 or 336."
  type        = number
  default     = 24
  validation {
    condition     = contains([24, 48, 72, 168, 336], var.retention_hours)
    error_message = "24, 48, 72, 168 or 336; a queue keeps no longer."
  }
}

variable "bronze_days" {
  description = "After so many days bronze is deleted; 0 for never."
  type        = number
  default     = 0
}

variable "log_days" {
  description = "How long logs are kept."
  type        = number
  default     = 30
}

variable "deliver_seconds" {
  description = "How long events may wait for an object of bronze to fill: 0 to 300. With sqs at most 300 too."
  type        = number
  default     = 60
}

variable "refine_minutes" {
  description = "How often silver is made."
  type        = number
  default     = 5
  validation {
    condition     = var.refine_minutes >= 2
    error_message = "2 or more."
  }
}

variable "requests_per_second" {
  description = "Above so many the HTTP API answers 429."
  type        = number
  default     = 1000
}

variable "scan_gigabytes" {
  description = "Athena stops a query that reads more."
  type        = number
  default     = 10
}

# Who is told

variable "alarm_email" {
  description = "Who gets the alarms; empty for nobody."
  type        = string
  default     = ""
}

variable "budget_dollars" {
  description = "A month; at 80 % of it, and when more is forecast, alarm_email is told. 0 for none."
  type        = number
  default     = 0
  validation {
    condition     = var.budget_dollars == 0 || var.alarm_email != ""
    error_message = "A budget tells alarm_email."
  }
}
