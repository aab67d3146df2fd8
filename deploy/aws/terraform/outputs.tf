output "events_url" {
  description = "Where events are posted."
  value       = var.collect ? "${module.collect[0].url}/v1/events" : ""
}

output "lake" {
  description = "What `lake` is in the settings, for dashboard, SQL and refine on your machine."
  value       = "s3://${local.bucket}"
}

output "stream_url" {
  description = "What `penstock send --stream` takes."
  value       = var.stream == "none" ? "" : "${var.stream}://${var.name}-events"
}

output "failed_queue" {
  description = "Where to look for what functions could not do."
  value       = "${var.name}-failed"
}

output "counters_table" {
  value = var.counters ? local.tables["counters"] : ""
}

output "page_views_table" {
  value = var.page_views ? local.tables["page-views"] : ""
}

output "aggregates_table" {
  value = var.page_views ? local.tables["aggregates"] : ""
}

output "database" {
  value = var.athena ? module.reports[0].database : ""
}

output "workgroup" {
  value = var.athena ? module.reports[0].workgroup : ""
}
