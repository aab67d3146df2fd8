"""Stage 4: new bronze objects become typed, deduplicated rows in a Delta table, or quarantine, and a line in the ledger."""
