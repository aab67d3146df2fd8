"""A dashboard over a small simulated shop and site, with hostile events among them; its clock stands still."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from penstock.dashboard.app import make_app
from penstock.pipeline import Pipeline
from penstock.settings import Settings, load
from penstock.simulator.plan import Kind, Plan
from penstock.simulator.write import write
from support import LakeInHand

START = datetime(2026, 11, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 20, 18, 0, 5, tzinfo=UTC)
HERE = "http://127.0.0.1:8788"
SCRIPT = "<img src=x onerror=alert(1)>"
HOSTILE = (
    SCRIPT,
    "\"><script>alert(1)</script>",
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "{{7*7}}",
    "${jndi:ldap://x}",
    "%s%n",
    "'; DROP TABLE events;--",
    "../../etc/passwd",
    "=HYPERLINK(\"http://evil.test\")",
    "@SUM(1)",
    "\u202eright to left",
    "]]>",
)  # fmt: skip


def fill(folder: Path, *, events: int = 250, files: int = 19) -> Settings:
    """A data folder with that many simulated events a day, and hostile ones; silver and gold are made."""
    plan = Plan(events, 24 * 3_600_000, int(START.timestamp() * 1000), files, Kind.both, 7)
    write(plan, folder / "files")
    settings = load(data=folder / "data")
    hand = LakeInHand(settings.data)
    for file in sorted((folder / "files").rglob("*.jsonl.gz")):
        hand.put_bytes(file.relative_to(folder / "files").as_posix(), file.read_bytes())
    hand.put([hostile(nth, text) for nth, text in enumerate(HOSTILE)])
    pipeline = Pipeline(settings, clock=lambda: NOW)
    pipeline.drain()
    pipeline.close()
    return settings


def hostile(nth: int, text: str) -> dict[str, Any]:
    """A page view that says it wherever senders may write."""
    return {
        "event_type": "page_view", "event_id": f"hostile{nth}", "session_id": f"h{nth}", "page_path": f"/{text}",
        "event_ts": "2026-11-20T10:00:00Z", "utm_source": text, "utm_campaign": text, "device": text,
        "language": text, "properties": {"said": text}, "first_day": "2026-11-20",
    }  # fmt: skip


@contextmanager
def visit(settings: Settings, later: timedelta = timedelta()) -> Iterator[TestClient]:
    patient = settings.dashboard.model_copy(update={"patience_seconds": 120})
    app = make_app(settings.model_copy(update={"dashboard": patient}), clock=lambda: NOW + later)
    with TestClient(app, HERE, client=("127.0.0.1", 50000)) as client:
        yield client


class Seen(HTMLParser):
    """What a browser would make of a page: its elements, and the text in them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append(data.strip())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def links(self) -> list[str]:
        return [attributes["href"] for attributes in self.all("a") if "href" in attributes]
