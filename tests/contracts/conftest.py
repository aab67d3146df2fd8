"""What the contracts' adapters need beside them."""

from __future__ import annotations

from table_in_hand import endpoint, table

__all__ = ["endpoint", "table"]
