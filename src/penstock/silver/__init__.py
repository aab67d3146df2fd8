"""Stage 4: new bronze objects become typed rows of a Delta table, each once, or quarantine; and the ledger."""
