"""How many durable requests and events a second the collector takes, beside what the machine could do at all.

    python benchmarks/collect.py [--seconds 5] [--processes 2]

References in the same run: nginx answering 204 without looking (the ceiling of HTTP on this machine), and our own
handler with fsync made to do nothing (what durability costs). Load comes from wrk on the same cores. Needs wrk and
nginx (`apt-get install wrk nginx-light`) and, for the run without fsync, a C compiler.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from penstock.hosts.supervisor import Supervisor, free_port
from penstock.settings import load

_VARIANTS = 100
_NO_FSYNC = "int fsync(int fd){return 0;} int fdatasync(int fd){return 0;}"


def event(chance: random.Random) -> dict[str, object]:
    """A page view as our tracker sends it, about 380 bytes; ids differ, so it compresses as real ones do."""
    return {
        "event_type": "page_view",
        "event_id": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        "session_id": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        "event_ts": f"2026-02-01T12:{chance.randrange(60):02}:{chance.randrange(60):02}.{chance.randrange(1000):03}Z",
        "page_path": f"/guides/{chance.randrange(200)}",
        "referrer": "https://www.example.com/search",
        "utm_source": chance.choice(["linkedin", "newsletter", "google"]),
        "utm_campaign": "analytics_case_study",
        "screen_width": 1920,
        "screen_height": 1080,
        "language": "en-GB",
    }


def script(folder: Path, events_per_request: int) -> Path:
    """A wrk script that posts one of many prepared bodies after the other."""
    chance = random.Random(1)
    bodies = [json.dumps([event(chance) for _ in range(events_per_request)]) for _ in range(_VARIANTS)]
    path = folder / f"post{events_per_request}.lua"
    path.write_text(
        "local bodies = {" + ",".join(f"[==[{body}]==]" for body in bodies) + "}\n"
        "local requests = {}\nlocal next = 0\n"
        'function init() for i, b in ipairs(bodies) do requests[i] = wrk.format("POST", nil, nil, b) end end\n'
        "function request() next = next % #requests + 1; return requests[next] end\n"
    )
    return path


def requests_per_second(url: str, lua: Path, connections: int, seconds: int) -> float:
    """Answers a second over the whole run; anything but success ends the benchmark."""
    out = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(lua), url],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        sys.exit(f"the server refused:\n{out}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", out)
    assert found is not None, out
    return float(found[1])


@contextmanager
def collector(folder: Path, processes: int, preload: Path | None) -> Iterator[str]:
    """Our server alone, without a worker, on a free port."""
    settings = load(
        data=folder / "data",
        collect={"port": free_port(), "processes": processes},
        deliver={"seconds": 86_400, "bytes": "100GB"},
    )
    before = os.environ.get("LD_PRELOAD")
    if preload is not None:
        os.environ["LD_PRELOAD"] = str(preload)
    supervisor = Supervisor(settings, folder / "server.log")
    supervisor.start()
    try:
        yield f"{supervisor.url}/v1/events"
    finally:
        os.kill(supervisor.pid("worker"), 9)  # it would deliver and refine all of it before it stops
        supervisor.stop()
        shutil.rmtree(folder / "data")
        if preload is not None:
            os.environ.pop("LD_PRELOAD")
            if before is not None:
                os.environ["LD_PRELOAD"] = before


@contextmanager
def nginx(folder: Path, processes: int) -> Iterator[str]:
    port = free_port()
    conf = folder / "nginx.conf"
    conf.write_text(
        f"worker_processes {processes}; daemon off; error_log {folder}/error.log; pid {folder}/nginx.pid;\n"
        "events { worker_connections 1024; }\n"
        f"http {{ access_log off; client_body_temp_path {folder}/body; client_body_buffer_size 1m;\n"
        f"server {{ listen 127.0.0.1:{port}; keepalive_requests 1000000000; location / {{ return 204; }} }} }}\n"
    )
    child = subprocess.Popen(["nginx", "-p", str(folder), "-c", str(conf)], stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        child.terminate()
        child.wait()


def without_fsync(folder: Path) -> Path | None:
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    source, library = folder / "nofsync.c", folder / "nofsync.so"
    source.write_text(_NO_FSYNC)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    return library


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--seconds", type=int, default=5)
    arguments.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    options = arguments.parse_args()
    missing = [name for name in ("wrk", "nginx") if shutil.which(name) is None]
    if missing:
        sys.exit(f"needs {' and '.join(missing)}: apt-get install wrk nginx-light")
    with tempfile.TemporaryDirectory(prefix="penstock-bench-", dir=Path.cwd()) as name:
        folder = Path(name)
        loads = ((1, 256), (100, 32))
        scripts = {size: script(folder, size) for size, _ in loads}
        library = without_fsync(folder)
        rates: dict[tuple[str, int], float] = {}
        for size, connections in loads:
            with collector(folder, options.processes, None) as url:
                rates["penstock, durable", size] = requests_per_second(url, scripts[size], connections, options.seconds)
            if library is not None:
                with collector(folder, options.processes, library) as url:
                    rates["penstock, fsync off", size] = requests_per_second(
                        url, scripts[size], connections, options.seconds
                    )
            with nginx(folder, options.processes) as url:
                rates["nginx, 204", size] = requests_per_second(url, scripts[size], connections, options.seconds)
    print(f"{os.cpu_count()} cores, {options.processes} server processes, load generator on the same cores")
    print(f"{'':24}{'events/request':>16}{'requests/s':>14}{'events/s':>14}{'of nginx':>12}")
    for (who, size), rate in rates.items():
        share = rate / rates["nginx, 204", size]
        print(f"{who:24}{size:>16}{rate:>14,.0f}{rate * size:>14,.0f}{share:>12.0%}")


if __name__ == "__main__":
    main()
