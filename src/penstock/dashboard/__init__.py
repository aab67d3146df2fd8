"""The pages that people open: what the reports say, as HTML. Served by hosts, reads through reports."""
