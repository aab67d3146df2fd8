"""Screenshots of every page into docs/images: light, dark, and on a phone.

    python docs/screenshots.py        # needs Chromium and the test tools: `make screenshots`

It simulates six weeks of a shop and a site in a temporary folder, serves the dashboard over it beside a collector that
takes live traffic, and looks at each page as a visitor would.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from penstock.dashboard.pages import PAGES
from penstock.hosts.demo import Traffic
from penstock.hosts.supervisor import ALL, Supervisor, free_port
from penstock.settings import load

IMAGES = Path(__file__).parent / "images"
DAYS, EVENTS_A_DAY = 42, 6000
LOOKS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1200, "height": 800}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1200, "height": 800}},
    "phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}},
}
ASKED = {"sql": "?q=select event_type, count(*) as events from events group by 1 order by 2 desc"}
WITHOUT = ("session",)


def fill(data: Path) -> None:
    program = Path(sys.executable).with_name("penstock")
    start = (datetime.now(UTC) - timedelta(days=DAYS)).date().isoformat()
    files = data.parent / "files"
    told = ["--events", str(EVENTS_A_DAY), "--files", str(DAYS), "--every", "1d", "--profile", "both", "--start", start]
    subprocess.run([program, "simulate", "--out", files, *told], check=True)
    (files / "truth.json").unlink()
    for command in (["load", files], ["refine", "--once"], ["rollup", "--once"]):
        subprocess.run([program, *command, "--data", data], check=True)


def take(browser: Browser, url: str) -> None:
    IMAGES.mkdir(exist_ok=True)
    for look, options in LOOKS.items():
        context = browser.new_context(**options, reduced_motion="reduce")  # type: ignore[arg-type]
        page = context.new_page()
        for each in PAGES:
            if each.name in WITHOUT:
                continue
            page.goto(url + each.url + ASKED.get(each.name, ""))
            page.wait_for_timeout(2500)
            page.screenshot(path=IMAGES / f"{each.name}-{look}.jpg", full_page=look != "phone", type="jpeg", quality=72)
        context.close()


def main() -> None:
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("there is no Chromium: install it (Debian: apt install chromium), or name one in CHROMIUM")
    with tempfile.TemporaryDirectory(prefix="penstock-") as folder:
        data = Path(folder) / "data"
        fill(data)
        collect, dashboard = {"port": free_port()}, {"port": free_port(), "title": "example.com"}
        supervisor = Supervisor(load(data=data, collect=collect, dashboard=dashboard), Path(folder) / "log", ALL)
        supervisor.start()
        stop = threading.Event()
        sender = threading.Thread(target=Traffic(supervisor.url).run, args=(stop,))
        sender.start()
        try:
            with sync_playwright() as started:
                browser = started.chromium.launch(executable_path=chromium, args=["--headless", "--no-sandbox"])
                take(browser, supervisor.dashboard_url)
                browser.close()
        finally:
            stop.set()
            sender.join()
            supervisor.stop()


if __name__ == "__main__":
    main()
