"""Who may import whom: `cli` → `hosts` → dashboard → pipeline → stages, to their left → the floor; and small files."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import penstock

SRC = Path(penstock.__file__).parent
FILES = {path.relative_to(SRC).with_suffix("").as_posix(): path for path in sorted(SRC.rglob("*.py"))}

FLOOR = (
    "event", "errors", "clock", "setting_types", "setting_sections", "settings", "telemetry", "adapters", "objects",
    "ledger", "requests", "simulator", "worker_lock", "cost", "advise", "month", "capacity", "cache",
)  # fmt: skip
STAGES = ("stream", "collect", "bronze", "silver", "gold", "reports")
"""From left to right; collect is given a stream, so here the stream comes first."""
PIPELINE = ("pipeline", "verify", "status", "books", "api", "alerts", "export")
LAYERS = (FLOOR, *((stage,) for stage in STAGES), PIPELINE, ("dashboard",), ("hosts",), ("__init__",), ("cli",))
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}

ONLY_IN = {
    "boto3": (
        "stream/_aws", "hosts/awslambda/clients", "gold/counters", "gold/stores/dynamodb", "reports/engines/athena",
    ),
    "confluent_kafka": ("stream/kafka", "stream/_kafka_errors", "stream/_kafka_group", "stream/_kafka_topic"),
    "pyspark": ("silver/engines/spark", "reports/engines/spark"),
    "psycopg": ("export/postgres",),
    "obstore": ("objects",),
    "deltalake": ("silver/actions", "silver/commit", "silver/snapshot"),
    "duckdb": (
        "silver/engines/duckdb", "silver/engines/_parse_duckdb", "silver/engines/_write_duckdb", "silver/snapshot",
        "silver/refine", "silver/compare", "silver/rebuild", "silver/erase",
        "api", "status", "verify", "export/rows", "export/files", "export/attach",
        "dashboard/sandbox/gate", "dashboard/sandbox/worker", "dashboard/sandbox/formats",
    ),
}  # fmt: skip


def imports(name: str) -> set[str]:
    """What a file imports, at the top or late: `objects`, `silver/commit`; of others the package, `duckdb`."""
    found = set()
    for node in ast.walk(ast.parse(FILES[name].read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").split(".")[0])
        elif isinstance(node, ast.ImportFrom):
            parts = ("penstock/" + name).split("/")[: -node.level] + (node.module or "").split(".")
            folder = "/".join(part for part in parts[1:] if part)
            found |= {_file(f"{folder}/{alias.name}".strip("/")) or _file(folder) or "" for alias in node.names}
    return found - {name}


def _file(path: str) -> str | None:
    """The module of that path: a file, or a package, which is its `__init__`."""
    return next((file for file in (path, f"{path}/__init__".strip("/")) if file in FILES), None)


def rank(name: str) -> int:
    return RANK[name.split("/")[0]]


def test_every_file_has_its_place() -> None:
    assert {name for name in FILES if name.split("/")[0] not in RANK} == set()


def test_imports_go_only_down_and_to_the_left() -> None:
    # `from .. import __version__` is the one thing that all may take from the package itself.
    wrong = [(name, other) for name in FILES for other in imports(name) & FILES.keys() if rank(other) > rank(name)]
    assert [pair for pair in wrong if pair[1] != "__init__"] == []


def test_no_import_cycles() -> None:
    graph = {name: imports(name) & FILES.keys() - {"__init__"} for name in FILES}
    assert set(TopologicalSorter(graph).static_order()) >= FILES.keys() - {"__init__"}


def test_big_packages_only_where_they_belong() -> None:
    found = {package: {name for name in FILES if package in imports(name)} for package in ONLY_IN}
    assert found == {package: set(places) for package, places in ONLY_IN.items()}


def test_import_penstock_loads_nothing_big() -> None:
    code = "import sys, penstock; print(*{'duckdb', 'deltalake', 'pyarrow', 'granian', 'obstore'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_files_are_small_and_named_for_what_they_do() -> None:
    assert [name for name, path in FILES.items() if len(path.read_text().splitlines()) > 400] == []
    assert {Path(name).name for name in FILES} & {"utils", "util", "common", "helpers", "base", "manager"} == set()
