"""Properties too deep, too many, or badly named → a reason. Pure; asked only for those that may be at fault."""

from __future__ import annotations

import json

from ..event import DEPTH, KEYS, TOO_DEEP, TOO_MANY_KEYS, depth, keys

_NAME_CHARS = 200
_FORBIDDEN = frozenset('"\n\r')


def judge_properties(properties: str | None, variants: str | None) -> tuple[str | None, str | None]:
    """(reason, detail), both None if all is well."""
    for text in (properties, variants):
        if not text or text[0] not in "{[":
            continue
        try:
            value = json.loads(text)
        except RecursionError:
            return TOO_DEEP, f"more than {DEPTH} levels"
        except ValueError:
            return "malformed_json", "properties cannot be read"
        if depth(value) >= DEPTH:
            return TOO_DEEP, f"more than {DEPTH} levels"
        if keys(value) > KEYS:
            return TOO_MANY_KEYS, f"more than {KEYS} keys"
        if isinstance(value, dict):
            for name in value:
                if not name or len(name) > _NAME_CHARS or _FORBIDDEN & set(name):
                    return "bad_property_name", repr(name[:60])
    return None, None
