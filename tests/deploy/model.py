"""What both stacks are reduced to, so that they can be compared."""

from __future__ import annotations

from typing import Any

Model = dict[str, Any]
"""`kind name` → what matters of it, in plain values."""


def policy(document: dict[str, Any]) -> list[Any]:
    """Statements with everything in order: what they say does not depend on it."""
    return sorted(
        (
            one["Effect"],
            sorted(many(one["Action"])),
            sorted(many(one.get("Resource", ()))),
            str(one.get("Principal")),
            str(one.get("Condition")),
        )
        for one in document["Statement"]
    )


def many(value: Any) -> list[Any]:
    return [value] if isinstance(value, str) else list(value)
