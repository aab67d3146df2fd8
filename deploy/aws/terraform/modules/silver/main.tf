# 4 silver: a function that makes rows of what is new in bronze, one at a time, every few minutes.

variable "function" {
  type = object({
    name = string, zip = string, architecture = string, log_days = number, arns = map(string)
  })
}

variable "bucket" {
  type = string
}

variable "gold" {
  description = "Name of the table for what reports ask of."
  type        = string
}

variable "image" {
  type = string
}

variable "minutes" {
  type = number
}

locals {
  bucket = var.function.arns.bucket
}

module "function" {
  source              = "../function"
  common              = var.function
  task                = "refine"
  image               = var.image
  memory              = 3008
  timeout             = 900
  temporary_megabytes = 4096
  concurrency         = 1
  async               = true
  environment = {
    PENSTOCK_LAKE = "s3://${var.bucket}"
    PENSTOCK_DATA = "/tmp/penstock"
    PENSTOCK_GOLD = "dynamodb://${var.gold}"
  }
  # In bronze it may delete its own notes, never an object of events.
  statements = [
    { actions = ["s3:ListBucket"], resources = [local.bucket] },
    { actions = ["s3:GetObject"], resources = ["${local.bucket}/bronze/*", "${local.bucket}/silver/*", "${local.bucket}/gold/*"] },
    { actions = ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"], resources = ["${local.bucket}/bronze/inbox/*", "${local.bucket}/silver/*", "${local.bucket}/gold/*"] },
    { actions = ["dynamodb:Query", "dynamodb:Scan", "dynamodb:BatchWriteItem"], resources = [var.function.arns.gold] },
  ]
}

module "schedule" {
  source     = "../schedule"
  name       = var.function.name
  task       = "refine"
  expression = "rate(${var.minutes} minutes)"
  arns       = var.function.arns
  function   = module.function.name
}
