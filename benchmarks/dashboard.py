"""How soon pages are there: rendering at volume, and the first chart on a slow line.

    python benchmarks/dashboard.py [--events 10000000] [--rounds 20] [--data FOLDER]

Each page is asked for over HTTP with a filter that nobody asked for before: how soon it comes, with what takes long
still being counted, and how soon all of it is there; then as it was, as it is while the lake stays the same. Chromium
then opens the overview over a line of 150 ms and 1.6 Mbit/s with a fourth of the processor; it is left out, loudly,
where there is none. The reference is a page of this server that asks nothing of the lake.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
import urllib.request
from datetime import date, timedelta
from pathlib import Path

from query import DAYS, START, make

from penstock.dashboard.pages import PAGES
from penstock.hosts.supervisor import Supervisor, free_port
from penstock.settings import load

SLOW_4G = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 93_750}


def seconds(url: str) -> float:
    started = time.perf_counter()
    with urllib.request.urlopen(url) as answer:
        answer.read()
    return time.perf_counter() - started


def whole(url: str) -> float:
    """Until nothing on it is still being counted; it asks again as often as its script does."""
    started = time.perf_counter()
    while True:
        with urllib.request.urlopen(url) as answer:
            if b"data-late" not in answer.read():
                return time.perf_counter() - started
        time.sleep(0.7)


def p95(found: list[float]) -> float:
    return statistics.quantiles(found, n=20)[-1] * 1000


def period(nth: int) -> str:
    """Days within the data, and others each time."""
    first = START.date() + timedelta(days=nth % 3)
    last: date = (START + timedelta(days=DAYS - 1 - nth % 2)).date()
    return f"period=custom&from={first}&to={last}"


def rendered(url: str, rounds: int) -> None:
    reference = p95([seconds(f"{url}/health") for _ in range(max(rounds, 20))])
    print(f"{'page':14} {'new, p95':>10} {'whole, p95':>12} {'known, p95':>12}   ms; /health takes {reference:.1f}")
    for page in PAGES:
        if not page.takes_filters:
            continue
        plain = f"{url}{page.url}?{period(0)}"
        whole(plain)
        known = p95([seconds(plain) for _ in range(max(rounds, 20))])
        asked = [f"{url}{page.url}?{period(nth)}&event_type!=nobody{nth}" for nth in range(rounds)]
        found = [(seconds(address), whole(address)) for address in asked]
        new, all_of_it = p95([first for first, _ in found]), p95([first + rest for first, rest in found])
        print(f"{page.name:14} {new:10.0f} {all_of_it:12.0f} {known:12.0f}")


def first_chart(url: str) -> None:
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        print("no Chromium here: the first chart on a slow line was not measured")
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=chromium, args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page()
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.emulateNetworkConditions", SLOW_4G)
        session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
        page.goto(f"{url}/?{period(0)}", wait_until="load")
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        size = page.evaluate("performance.getEntries().reduce((sum, each) => sum + (each.encodedBodySize || 0), 0)")
        print(f"first contentful paint, slow line and processor: {paint:.0f} ms, {size} bytes in all")
        browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--data", type=Path, default=None, help="a data folder made before")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder:
        data = given.data or Path(folder) / "data"
        if given.data is None:
            make(data, given.events)
        settings = load(data=data, dashboard={"port": free_port()})
        served = Supervisor(settings, Path(folder) / "log", ("dashboard",))
        served.start()
        try:
            rendered(served.dashboard_url, given.rounds)
            first_chart(served.dashboard_url)
        finally:
            served.stop()


if __name__ == "__main__":
    main()
