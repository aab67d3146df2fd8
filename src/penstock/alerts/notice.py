"""What is told: one notice, as JSON for programs and as text for people."""

from __future__ import annotations

from datetime import datetime

import msgspec

from ..clock import iso


class Notice(msgspec.Struct, frozen=True):
    """`state` is firing or over; from `since` to `until` is the time that was judged, `at` is when."""

    alert: str
    state: str
    layer: str
    says: list[str]
    firing_since: datetime
    since: datetime
    until: datetime
    at: datetime

    @property
    def subject(self) -> str:
        return f"{self.alert}: over" if self.state == "over" else f"{self.alert} ({self.layer})"

    @property
    def text(self) -> str:
        told = [self.subject, *self.says, f"judged: {iso(self.since)} to {iso(self.until)}"]
        return "\n".join([*told, f"firing since {iso(self.firing_since)}"])

    def json(self) -> bytes:
        """`text` is where chat programs look."""
        return msgspec.json.encode({"text": self.text, **msgspec.to_builtins(self)})
