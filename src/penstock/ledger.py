"""The balance: received = stored + duplicate + quarantined + in flight, per hour of receipt and source. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass
class Balance:
    """One hour and source. `received` is counted where events come in, the others where they end."""

    hour: datetime
    source: str
    received: int = 0
    stored: int = 0
    duplicate: int = 0
    quarantined: int = 0
    in_flight: int = 0

    @property
    def balanced(self) -> bool:
        return self.received == self.stored + self.duplicate + self.quarantined + self.in_flight


@dataclass
class Ledger:
    """Balances by (hour, source), made on first use."""

    rows: dict[tuple[datetime, str], Balance] = field(default_factory=dict)

    def at(self, hour: datetime, source: str) -> Balance:
        return self.rows.setdefault((hour, source), Balance(hour, source))

    def sorted(self) -> list[Balance]:
        return [self.rows[key] for key in sorted(self.rows)]

    def total(self, what: str) -> int:
        """Sum of one column, for example `received`."""
        return sum(getattr(row, what) for row in self.rows.values())
