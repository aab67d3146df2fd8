"""Write keys: which source a request belongs to. Without configured sources all is `default` and no key is asked."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs

from ..errors import Refused

DEFAULT_SOURCE = "default"


@dataclass(frozen=True)
class Source:
    """A sender that may append. `origins` empty means any web page may send with this key."""

    name: str
    write_key: str
    enabled: bool = True
    origins: tuple[str, ...] = ()


class Keyring:
    def __init__(self, sources: Sequence[Source]) -> None:
        self._by_key = {source.write_key: source for source in sources}

    def source(self, headers: Mapping[str, str], query: str, body_key: str | None) -> str:
        """The source's name. A key in a header wins over one in the body, that over one in the query.

        Raises Refused: 401 for no key, an unknown or a disabled one, 403 for a page that may not use it.
        """
        if not self._by_key:
            return DEFAULT_SOURCE
        key = _header_key(headers) or body_key or _query_key(query)
        if not key:
            raise Refused(401, "write_key_missing", "send the source's write key, for example as X-Write-Key")
        source = self._by_key.get(key)
        if source is None:
            raise Refused(401, "write_key_unknown", "no source has this write key")
        if not source.enabled:
            raise Refused(401, "write_key_disabled", "this source is switched off")
        if source.origins and headers.get("origin", "") not in source.origins:
            raise Refused(403, "origin_not_allowed", "this write key is for other web sites")
        return source.name


def _header_key(headers: Mapping[str, str]) -> str | None:
    key = headers.get("x-write-key")
    if key:
        return key
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[0]
        except ValueError:  # not base64, not ASCII, or not text
            return None
    return None


def _query_key(query: str) -> str | None:
    values = parse_qs(query)
    for name in ("writeKey", "write_key"):
        if name in values:
            return values[name][0]
    return None
