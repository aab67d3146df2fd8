"""What SQL cannot do, done once per distinct value: user agent → device, browser, OS, bot; referrer → host, channel."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

import crawleruseragents
import ua_parser

_SEARCH = (
    "google.",
    "bing.",
    "duckduckgo.",
    "ecosia.",
    "yahoo.",
    "baidu.",
    "yandex.",
    "qwant.",
    "startpage.",
    "brave.",
)
_SOCIAL = (
    "linkedin.", "lnkd.in", "twitter.", "t.co", "x.com", "facebook.", "fb.", "instagram.", "reddit.", "youtube.",
    "youtu.be", "pinterest.", "tiktok.", "mastodon.", "bsky.", "threads.", "news.ycombinator.", "whatsapp.",
)  # fmt: skip
_PAID = frozenset({"cpc", "ppc", "cpm", "paid", "paidsearch", "paid_social", "display", "retargeting"})


class Agent(NamedTuple):
    user_agent: str
    device: str | None
    browser: str | None
    os: str | None
    is_bot: bool


class Referrer(NamedTuple):
    referrer: str | None
    utm_source: str | None
    utm_medium: str | None
    referrer_host: str | None
    channel: str


@lru_cache(maxsize=100_000)
def agent(user_agent: str) -> Agent:
    """Families only, no versions: few values, and nothing that singles out a person."""
    known = ua_parser.parse(user_agent)
    browser = known.user_agent.family if known.user_agent else None
    os = known.os.family if known.os else None
    return Agent(user_agent, _device(user_agent), browser, os, is_bot(user_agent))


def is_bot(user_agent: str) -> bool:
    """A crawler. Plain HTTP libraries are not: scripts and servers send events through them on purpose."""
    return any(pattern.search(user_agent) for pattern in _crawlers())


@cache
def _crawlers() -> tuple[re.Pattern[str], ...]:
    patterns = [
        entry["pattern"]
        for entry in crawleruseragents.CRAWLER_USER_AGENTS_DATA
        if "http-library" not in entry.get("tags", ())
    ]
    return tuple(
        re.compile("|".join(f"(?:{pattern})" for pattern in patterns[i : i + 100]))
        for i in range(0, len(patterns), 100)
    )


def _device(user_agent: str) -> str | None:
    if "Mozilla/" not in user_agent:
        return None
    if "iPad" in user_agent or "Tablet" in user_agent or ("Android" in user_agent and "Mobile" not in user_agent):
        return "tablet"
    return "mobile" if "Mobi" in user_agent else "desktop"


def referrer(address: str | None, utm_source: str | None, utm_medium: str | None) -> Referrer:
    host = _host(address)
    return Referrer(address, utm_source, utm_medium, host, _channel(host, utm_source, (utm_medium or "").lower()))


def _host(address: str | None) -> str | None:
    try:
        host = urlsplit(address or "").hostname
    except ValueError:
        return None
    return host.removeprefix("www.") if host else None


def _channel(host: str | None, utm_source: str | None, medium: str) -> str:
    if medium in _PAID:
        return "paid"
    if medium in ("email", "newsletter"):
        return "email"
    if medium in ("social", "organic_social"):
        return "social"
    source = (utm_source or "").lower()
    if _matches(host or source, _SEARCH):
        return "search"
    if _matches(host or source, _SOCIAL):
        return "social"
    if utm_source:
        return "campaign"
    return "referral" if host else "direct"


def _matches(name: str, families: Iterable[str]) -> bool:
    """`google.` matches google.com and www.google.de, and a bare utm_source=google."""
    return any(name == family.rstrip(".") or name.startswith(family) or f".{family}" in name for family in families)
