"""Where the collector is and what the site is called → the lines to paste, one text per way of pasting."""

from __future__ import annotations

from html import escape
from urllib.parse import quote, urlsplit

from .tracker import script

_LOCAL = ("localhost", "127.0.0.1", "::1")


def snippets(
    url: str, *, prefix: str = "/a", site: str | None = None, collector: str = "127.0.0.1:8787"
) -> dict[str, str]:
    """`url` is what browsers see, without the prefix: the collector's own address, or the site's if it is proxied.

    `site` is the write key of its source; `collector` is the address that a reverse proxy passes to.
    """
    base = url.rstrip("/") + prefix
    data = {"site": quote(site, safe="")} if site else {}
    if urlsplit(url).hostname in _LOCAL:
        data["endpoint"] = f"{base}/e"  # without it, pages on the developer's own machine are not counted
    values = {
        "src": escape(f"{base}/analytics.js"),
        "fixed": escape(f"{base}/analytics.{script().digest}.js"),
        "integrity": script().integrity,
        "data": "".join(f' data-{name}="{escape(value)}"' for name, value in data.items()),
        "key": f"&amp;writeKey={quote(site, safe='')}" if site else "",
        "dataset": "".join(f"\n    tag.dataset.{name} = '{value}'" for name, value in data.items()),
        "base": escape(base),
        "prefix": prefix,
        "collector": collector,
    }
    return {name: _fill(text, values) for name, text in _TEXTS.items()}


def _fill(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"<<{name}>>", value)
    return text.strip("\n")


_TEXTS = {
    "plain": """
<script defer src="<<src>>"<<data>>></script>
""",
    "sri": """
<script defer src="<<fixed>>"<<data>>
  integrity="<<integrity>>" crossorigin="anonymous"></script>
""",
    "noscript": """
<noscript><img src="<<base>>/pixel.gif?page=/path/of/this/page<<key>>" width="1" height="1" alt=""></noscript>
""",
    "react": """
useEffect(() => {
    if (document.querySelector('script[src="<<src>>"]')) return
    const tag = document.createElement('script')
    tag.src = '<<src>>'<<dataset>>
    document.head.append(tag)
}, [])
""",
    "nginx": """
location <<prefix>>/ {
    proxy_pass http://<<collector>>;
    proxy_set_header Host $host;
}
""",
    "caddy": """
handle <<prefix>>/* {
    reverse_proxy <<collector>>
}
""",
}
