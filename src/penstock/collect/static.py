"""GET: the tracker's file, and a pixel for pages without script."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from urllib.parse import urlsplit

from . import Reply, Request
from .tracker import script

PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_HOUR = "public, max-age=3600"
_FOREVER = "public, max-age=31536000, immutable"
_ANY_PAGE = [
    ("access-control-allow-origin", "*"),
    ("cross-origin-resource-policy", "cross-origin"),
    ("x-content-type-options", "nosniff"),
]


def file(request: Request, prefixes: tuple[str, ...]) -> Reply | None:
    """The tracker under `<prefix>/analytics.js`, and under `<prefix>/analytics.<hash>.js`, which never changes."""
    folder, _, name = request.path.rpartition("/")
    caching = {"analytics.js": _HOUR, f"analytics.{script().digest}.js": _FOREVER}.get(name)
    if folder not in prefixes or caching is None:
        return None
    headers = [
        ("cache-control", caching),
        ("etag", f'W/"{script().digest}"'),
        ("vary", "accept-encoding"),
        *_ANY_PAGE,
    ]
    if script().digest in request.headers.get("if-none-match", ""):
        return Reply(304, headers, b"")
    headers.append(("content-type", "text/javascript; charset=utf-8"))
    if _takes_gzip(request.headers):
        return Reply(200, [*headers, ("content-encoding", "gzip")], script().gzipped)
    return Reply(200, headers, script().body)


def pixel() -> Reply:
    """One transparent point, to be asked for again with every view."""
    return Reply(200, [("content-type", "image/gif"), ("cache-control", "no-store"), *_ANY_PAGE], PIXEL)


def with_origin(headers: Mapping[str, str]) -> dict[str, str]:
    """A browser says `Origin` when it posts, but for an image only `Referer`."""
    page = urlsplit(headers.get("referer", ""))
    return {**({"origin": f"{page.scheme}://{page.netloc}"} if page.netloc else {}), **headers}


def wants_no_count(headers: Mapping[str, str]) -> bool:
    """The browser said so (GPC, DNT), or nobody is looking yet. A script asks the browser itself; a pixel cannot."""
    return headers.get("sec-gpc") == "1" or headers.get("dnt") == "1" or "prefetch" in headers.get("sec-purpose", "")


def _takes_gzip(headers: Mapping[str, str]) -> bool:
    offers = [offer.replace(" ", "") for offer in headers.get("accept-encoding", "").lower().split(",")]
    return any(offer.split(";")[0] == "gzip" and not offer.endswith((";q=0", ";q=0.0")) for offer in offers)
