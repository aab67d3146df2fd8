"""The doors: processes that call the pipeline."""
