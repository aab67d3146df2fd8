"""What is on the site and who reads it, and events as the tracker writes them."""

from __future__ import annotations

import json
from typing import NamedTuple

from .arrays import Columns, day_text, texts, times, uuids
from .reading import (
    CTA_CLICK,
    DOWNLOAD,
    EXPERIMENT_VIEW,
    FORM_START,
    FORM_SUBMIT,
    SCROLL_DEPTH,
    SECONDS,
    TIME_ON_PAGE,
    TYPES,
)

ORIGIN = "https://site.example"
EXPERIMENT = "headline"


class Page(NamedTuple):
    path: str
    title: str
    weight: float


class Source(NamedTuple):
    """Where a session comes from; `lift` multiplies its chance to convert."""

    source: str | None
    medium: str | None
    campaign: str | None
    referrer: str | None
    weight: float
    lift: float


class Agent(NamedTuple):
    user_agent: str
    width: int
    height: int
    language: str
    timezone: str
    weight: float


class Variant(NamedTuple):
    name: str
    conversion: float


PAGES = (
    Page("/", "Home", 30),
    Page("/pricing", "Pricing", 14),
    Page("/guides/first-event", "Your first event", 18),
    Page("/guides/funnels", "Funnels", 12),
    Page("/case-studies/real-time-analytics-pipeline.html", "A pipeline in a day", 20),
    Page("/about", "About", 6),
)
SOURCES = (
    Source(None, None, None, None, 30, 1.0),
    Source(None, None, None, "https://www.google.com/", 22, 0.9),
    Source(None, None, None, "https://news.ycombinator.com/item", 14, 0.5),
    Source("linkedin", "social", "analytics_case_study", "https://www.linkedin.com/feed/", 16, 1.8),
    Source("newsletter", "email", "november", None, 10, 2.2),
    Source("twitter", "social", "analytics_case_study", "https://t.co/abc", 8, 0.7),
)
VARIANTS = (Variant("A", 0.08), Variant("B", 0.12))
_MOZILLA = "Mozilla/5.0 "
AGENTS = (
    Agent(
        _MOZILLA + "(Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/131.0.0.0 Safari/537.36",
        1920, 1080, "en-US", "America/New_York", 36,
    ),
    Agent(
        _MOZILLA + "(Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/18.1 Safari/605.1.15",
        1440, 900, "en-GB", "Europe/London", 18,
    ),
    Agent(
        _MOZILLA + "(iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/18.1 Mobile/15E148 Safari/604.1",
        390, 844, "de-DE", "Europe/Berlin", 20,
    ),
    Agent(
        _MOZILLA + "(Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36",
        412, 915, "pt-BR", "America/Sao_Paulo", 18,
    ),
    Agent(
        _MOZILLA + "(X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
        2560, 1440, "en-NZ", "Pacific/Auckland", 5,
    ),
    Agent(
        _MOZILLA + "(compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        1024, 768, "en-US", "UTC", 3,
    ),
)  # fmt: skip
CRAWLER = len(AGENTS) - 1


def lines(events: Columns, seed: int) -> list[str]:
    """With the times of columns `clock` and `sent`, both by the reader's clock."""
    parts = zip(
        texts(events["type"], TYPES.__getitem__),
        uuids(events["event"], seed + 2),
        times(events["clock"]),
        times(events["sent"]),
        uuids(events["session"], seed + 4),
        events["seq"].tolist(),
        texts(events["first_day"], lambda day: f'"{day_text(day)}"'),
        texts(events["prev_day"], lambda day: f',"prev_day":"{day_text(day)}"' if day >= 0 else ""),
        texts(((events["page"] * 8 + events["from"] + 1) * 8 + events["source"]) * 8 + events["agent"], _where),
        texts((events["type"] * 8 + events["detail"]) * 8 + events["variant"] + 1, _rest),
        strict=True,
    )
    return [
        f'{{"event_type":"{kind}","event_id":"{event}","event_ts":"{at}Z","sent_ts":"{sent}Z","session_id":"{session}",'
        f'"seq":{seq},"first_day":{first}{previous}{where}{rest}'
        for kind, event, at, sent, session, seq, first, previous, where, rest in parts
    ]


def _where(code: int) -> str:
    """Page, referrer, campaign, and what the browser says of itself."""
    code, agent = divmod(code, 8)
    code, source = divmod(code, 8)
    page, before = divmod(code, 8)
    came, browser, shown = SOURCES[source], AGENTS[agent], PAGES[page]
    fields = {
        "page_path": shown.path,
        "page_url": ORIGIN + shown.path,
        "page_title": shown.title,
        "referrer": PAGES[before - 1].path if before else came.referrer,
        "screen_width": browser.width,
        "screen_height": browser.height,
        "language": browser.language,
        "timezone": browser.timezone,
        "utm_source": came.source,
        "utm_medium": came.medium,
        "utm_campaign": came.campaign,
    }
    return "".join(f",{json.dumps(name)}:{json.dumps(value)}" for name, value in fields.items() if value is not None)


def _rest(code: int) -> str:
    """Variants and properties, and the end of the event."""
    code, variant = divmod(code, 8)
    kind, detail = divmod(code, 8)
    variants = {EXPERIMENT: VARIANTS[variant - 1].name} if variant else None
    properties = {
        EXPERIMENT_VIEW: {"experiment": EXPERIMENT, "variant": VARIANTS[variant - 1].name},
        SCROLL_DEPTH: {"percent": 25 * detail},
        TIME_ON_PAGE: {"seconds": SECONDS[detail % len(SECONDS)]},
        DOWNLOAD: {"file": "/files/whitepaper.pdf"},
        CTA_CLICK: {"label": "Book a call", "host": "calendar.example"},
        FORM_START: {"form": "contact"},
        FORM_SUBMIT: {"form": "contact"},
    }.get(kind, {})
    start = f',"variants":{json.dumps(variants, separators=(",", ":"))}' if variants else ""
    return f'{start},"properties":{json.dumps(properties, separators=(",", ":"))}}}'
