"""Engines that carry the cleaning: each reads the lines its own way, then runs the same `clean.sql`."""
