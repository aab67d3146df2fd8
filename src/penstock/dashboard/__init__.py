"""The dashboard: pages rendered on the server, over the answers of `reports`."""
