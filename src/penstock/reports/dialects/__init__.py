"""DuckDB's SQL, parsed → another engine's, by sqlglot; what it gets wrong is put right here, a file for each engine."""
