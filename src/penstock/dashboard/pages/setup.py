"""Setup: what to paste so that events come, whether they do, and the settings in force."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from starlette.concurrency import run_in_threadpool

from ... import status
from ...api import OpenLake
from ...collect.snippet import snippets
from ...errors import PenstockError
from ...requests import Requests
from ...setting_sections import SourceSettings
from ...settings import Settings
from ...worker_lock import worker_runs
from ..command import command
from ..page import Page
from ..redact import masked, settings_shown
from ..state import State

_URL = re.compile(r"https?://[A-Za-z0-9.:\[\]_-]{1,253}")
_MEANING = {
    "plain": "In every page, inside <head>",
    "sri": "The same, pinned to this version by its hash; renew it with every upgrade",
    "noscript": "Beside it, to count views of readers without script",
    "react": "In a single-page application, once in its outermost component",
    "nginx": "First-party with nginx: in the site's server block",
    "caddy": "First-party with Caddy: in the site's block",
}
_FIRST = ("plain", "sri")


class Text(NamedTuple):
    """Something to paste."""

    id: str
    meaning: str
    text: str
    is_first: bool = False


class Pasted(NamedTuple):
    """All that there is to paste for one source; `masked` if its write key is covered in it."""

    tags: list[Text]
    curl: Text
    kits: list[Text]
    masked: bool


def pasted(settings: Settings, url: str, source: SourceSettings | None, *, reveal: bool) -> Pasted:
    key = None if source is None else source.write_key if reveal else masked(source.write_key)
    texts = snippets(
        url, prefix=settings.collect.prefix, site=_KEY if key else None, collector=settings.collect.address
    )
    shown = {name: text.replace(_KEY, key or "") for name, text in texts.items()}
    tags = [Text(name, meaning, shown[name], name in _FIRST) for name, meaning in _MEANING.items()]
    return Pasted(tags, Text("curl", "From a shell", curl(url, key)), kits(url, key), key is not None and not reveal)


_KEY = "KEYHERE"
"""What stands for the write key until it is put in as it is."""


def curl(url: str, key: str | None) -> str:
    header = f" -H 'X-Write-Key: {key}'" if key else ""
    event = json.dumps({"event_type": "hello", "properties": {"from": "me"}})
    return f"curl {url}/v1/events{header} \\\n  -d '{event}'"


def kits(url: str, key: str | None) -> list[Text]:
    """Clients of Segment's API, pointed here."""
    told = key or "any"
    return [
        Text("node", "Node.js, @segment/analytics-node", f"new Analytics({{ writeKey: '{told}', host: '{url}' }})"),
        Text(
            "python",
            "Python, segment-analytics-python",
            f"analytics.write_key = '{told}'\nanalytics.host = '{url}'",
        ),
        Text("go", "Go, analytics-go", f'analytics.NewWithConfig("{told}", analytics.Config{{Endpoint: "{url}"}})'),
        Text(
            "browser",
            "Browser, analytics.js of Segment",
            "integrations: { 'Segment.io': "
            f"{{ apiHost: '{url.partition('://')[2]}/v1', protocol: '{url.partition('://')[0]}' }} }}",
        ),
    ]


DEMO = "demo"
"""The kind of request that the worker is asked with."""


def arrived(lake: OpenLake) -> int:
    """How many records the stream keeps: the first word of an event, long before it is in the lake."""
    try:
        return status.stream_status(lake.pipeline).replayable or 0
    except (PenstockError, OSError):
        return 0


def own_url(settings: Settings, asked: str) -> str:
    """Where browsers find the collector: as said, or this machine's address of it."""
    return asked.rstrip("/") if _URL.fullmatch(asked.rstrip("/")) else settings.collect.url


def context(settings: Settings, state: State, records: int) -> Mapping[str, Any]:
    url = own_url(settings, state.one("url"))
    sources = {source.name: source for source in settings.sources}
    chosen = sources.get(state.one("source")) or next(iter(sources.values()), None)
    reveal = state.one("show") == "key"
    return {
        "url": url,
        "sources": list(sources),
        "source": chosen.name if chosen else "",
        "pasted": pasted(settings, url, chosen, reveal=reveal),
        "records": records,
        "settings": settings_shown(settings),
        "demo": "penstock demo",
        "demo_waits": Requests(settings.data).any_waits(DEMO),
        "up": command(settings, "up"),
        "worker": worker_runs(settings.data),
    }


async def extra(dashboard: Any, state: State) -> Mapping[str, Any]:
    records = await dashboard.answers.run(arrived)
    return await run_in_threadpool(context, dashboard.settings, state, records)


PAGE = Page(
    "setup",
    "Setup",
    own={
        "url": "address that browsers find the collector at",
        "source": "whose write key stands in what is pasted",
        "show": "key: with the whole write key",
    },
    extra=extra,
    key="i",
    takes_filters=False,
    needs_lake=False,
)
