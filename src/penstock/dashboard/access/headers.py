"""The headers that every answer has, whatever it is. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import MutableHeaders

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors "
)
_ALWAYS = {
    "x-content-type-options": "nosniff",
    # With `no-referrer` browsers would send `Origin: null` with our own forms.
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-robots-tag": "noindex, nofollow",
}
_CORS = "access-control-"


def secure(headers: MutableHeaders, *, embedders: Sequence[str] = ()) -> None:
    """Set them; `embedders` may show this answer in a frame. What a page says of caching stays, but for secrets."""
    for name in [name for name in headers if name.startswith(_CORS)]:
        del headers[name]
    for name, value in _ALWAYS.items():
        headers[name] = value
    headers["content-security-policy"] = _POLICY + (" ".join(embedders) or "'none'")
    if not embedders:
        headers["x-frame-options"] = "DENY"
    if "set-cookie" in headers:
        headers["cache-control"] = "no-store"
    headers.setdefault("cache-control", "private, no-cache")
