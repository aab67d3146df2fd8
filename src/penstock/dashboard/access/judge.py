"""Who asks, and may he: every decision about a request, in one order. It changes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl, quote, urlencode

from starlette.datastructures import Headers
from starlette.requests import cookie_parser

from ..saved import Share
from . import peers
from .origins import SAFE_METHODS, is_from_elsewhere, is_ours
from .rules import Rules, cookie_names
from .tokens import PREFIX, find_share, find_token

_PUBLIC = re.compile(r"/(login|health|favicon\.ico|robots\.txt|static(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+)")
_SHARE = re.compile(r"/share/([^/]{1,100})(/.*)?", re.DOTALL)
_EXPORT = re.compile(r"/export/([a-z]+)/[a-z0-9_-]{1,64}\.(csv|json|parquet)")
_VISITORS_MAY_SAY = frozenset({"embed", "theme"})
_NOT_PAGES = ("/api/", "/live")
_ANNOTATE = "/api/annotations"


@dataclass(frozen=True)
class Visitor:
    """In `request.state.visitor`. `base` is what links start with; who comes with a share sees that page only."""

    kind: Literal["owner", "share", "token", "nobody"]
    name: str = ""
    base: str = ""
    embed: bool = False
    share: Share | None = None
    https: bool = False
    address: str = ""

    @property
    def may_change(self) -> bool:
        return self.kind == "owner"


@dataclass(frozen=True)
class Visit:
    """What of a request counts; the path is decoded."""

    method: str
    path: str
    query: str
    headers: Headers
    scheme: str = "http"
    peer: str | None = None


@dataclass(frozen=True)
class Pass:
    """Go on as this visitor, to what may be another path than was asked for."""

    visitor: Visitor
    path: str
    query: str


@dataclass(frozen=True)
class Stop:
    """An answer instead; with `to` it sends the browser there."""

    status: int
    code: str
    detail: str
    to: str = ""


Verdict = Pass | Stop


def judge(visit: Visit, rules: Rules) -> Verdict:
    told, headers = rules.settings, visit.headers
    host = headers.getlist("host")
    if len(host) != 1 or not is_ours(host[0], told.hosts):
        return Stop(
            421,
            "unknown_host",
            "This is no name of this dashboard. If it is to be one, add it to `hosts` of [dashboard] in penstock.toml.",
        )
    if rules.open and peers.is_forwarded(headers):
        return Stop(
            403,
            "proxy_without_password",
            "Behind a proxy this dashboard needs a password: `penstock dashboard-password` makes one.",
        )
    user = peers.user(visit.peer, headers, told.proxies, told.trusted_proxy_header)
    token = _token(visit)
    known = "cookie" in headers or user is not None
    if token is None and is_from_elsewhere(visit.method, host[0], headers, known=known):
        return Stop(403, "cross_site", "Another web site asked for this.")
    https = peers.is_https(visit.scheme, visit.peer, headers, told.proxies)
    address = peers.client(visit.peer, headers, told.proxies)
    if found := _SHARE.fullmatch(visit.path):
        return _shared(visit, rules, found[1], found[2] or "", https, address)
    if token is not None:
        return _with_token(visit, rules, token)
    if rules.open:
        return _go_on(visit, Visitor("owner", https=https, address=address))
    if user is not None:
        return _go_on(visit, Visitor("owner", user, https=https, address=address))
    if any(rules.is_owner(cookie) for cookie in _cookies(headers, cookie_names(https))):
        return _go_on(visit, Visitor("owner", https=https, address=address))
    if _PUBLIC.fullmatch(visit.path):
        return _go_on(visit, Visitor("nobody", https=https, address=address))
    return _not_logged_in(visit, rules)


def _go_on(visit: Visit, visitor: Visitor) -> Pass:
    return Pass(visitor, visit.path, visit.query)


def _cookies(headers: Headers, names: Iterable[str]) -> list[str]:
    sent = cookie_parser("; ".join(headers.getlist("cookie")))
    return [sent[name] for name in names if name in sent]


# programs


def _token(visit: Visit) -> str | None:
    """A token of ours, where tokens are good for something. What else a proxy may have put there is not for us."""
    scheme, _, value = visit.headers.get("authorization", "").partition(" ")
    ours = scheme.lower() == "bearer" and value.strip().startswith(PREFIX)
    return value.strip() if ours and visit.path.startswith("/api/") else None


def _with_token(visit: Visit, rules: Rules, text: str) -> Verdict:
    token = find_token(rules.saved, text)
    if token is None:
        return Stop(401, "token_unknown", "There is no such token.")
    reads = token.may == "read" and visit.method in SAFE_METHODS and visit.path.endswith(".json")
    annotates = token.may == "annotate" and visit.method == "POST" and visit.path == _ANNOTATE
    if not (reads or annotates):
        return Stop(403, "token_may_not", f"This token may {token.may}, nothing else.")
    return _go_on(visit, Visitor("token", token.name))


# shared pages


def page_path(page: str) -> str:
    return "/" if page == "overview" else f"/{page}"


def _shared(visit: Visit, rules: Rules, text: str, rest: str, https: bool, address: str) -> Verdict:
    share = find_share(rules.saved, text, rules.clock())
    if share is None:
        return Stop(404, "not_found", "There is no such page, or it is shared no more.")
    cookies = _cookies(visit.headers, cookie_names(https, share))
    said = dict(parse_qsl(visit.query))
    embed = said.get("embed") == "1"
    visitor = Visitor("share", share.name, f"/share/{text}", embed, share, https, address)
    if share.password is not None and not any(rules.may_see(share, cookie) for cookie in cookies):
        return _locked(visit, visitor, rest)
    inner = {"": page_path(share.page), f"/api/{share.page}.json": f"/api/{share.page}.json"}.get(rest)
    export = _EXPORT.fullmatch(rest)
    if export is not None and export[1] == share.page:
        inner = rest
    if inner is None or visit.method not in SAFE_METHODS:
        return Stop(403, "share_may_not", "This link shows one page, nothing else.")
    kept = urlencode([(name, value) for name, value in said.items() if name in _VISITORS_MAY_SAY])
    return Pass(visitor, inner, "&".join(part for part in (share.query, kept) if part))


def _locked(visit: Visit, visitor: Visitor, rest: str) -> Verdict:
    """The form that asks for the password, which goes to the link itself."""
    if rest or visit.method not in SAFE_METHODS | {"POST"}:
        return Stop(401, "password_wanted", "This page has a password.")
    return Pass(
        Visitor("nobody", base=visitor.base, share=visitor.share, https=visitor.https, address=visitor.address),
        visit.path,
        visit.query,
    )


# nobody


def _not_logged_in(visit: Visit, rules: Rules) -> Stop:
    if rules.settings.password is None:
        return Stop(403, "not_named", "The proxy before this dashboard has not said who you are.")
    is_page = visit.method in SAFE_METHODS and not visit.path.startswith(_NOT_PAGES)
    if not is_page or visit.headers.get("sec-fetch-dest") == "empty":
        return Stop(401, "not_logged_in", "Log in first, or send a token as `Authorization: Bearer`.")
    asked = quote(visit.path, errors="replace") + (f"?{visit.query}" if visit.query else "")
    return Stop(303, "not_logged_in", "Log in first.", to=f"/login?{urlencode({'next': asked})}")
