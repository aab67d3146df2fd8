"""What people keep."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.dashboard.saved import MOST, Annotation, CannotSave, Funnel, Row, Saved, SavedQuery, Segment, Share

HOSTILE = ["<script>alert(1)</script>", "'; drop table saved; --", "{{ 7 * 7 }}", "‮evil", "🎉" * 50, "=1+1"]


@pytest.fixture
def saved(tmp_path: Path) -> Iterator[Saved]:
    opened = Saved(tmp_path / "data" / "dashboard.db")
    yield opened
    opened.close()


def test_reading_makes_no_file(saved: Saved, tmp_path: Path) -> None:
    assert saved.all(Segment) == []
    with pytest.raises(CannotSave, match="no such"):
        saved.get(Segment, 1)
    assert list(tmp_path.iterdir()) == []


def test_added_changed_deleted(saved: Saved, tmp_path: Path) -> None:
    row = saved.add(Segment, {"name": "linkedin", "filters": ["source=linkedin", "page!=/about"]})
    assert saved.all(Segment) == [row] == [Segment(id=1, name="linkedin", filters=("source=linkedin", "page!=/about"))]
    changed = saved.change(Segment, row.id, {"name": "LinkedIn"})
    assert changed == saved.get(Segment, 1) == Segment(id=1, name="LinkedIn", filters=row.filters)
    saved.delete(Segment, 1)
    saved.delete(Segment, 1)
    assert saved.all(Segment) == []
    assert (tmp_path / "data" / "dashboard.db").stat().st_mode & 0o777 == 0o600


def test_a_deleted_id_comes_never_again(saved: Saved) -> None:
    first = saved.add(Funnel, {"name": "a", "query": "step=page_view"})
    saved.delete(Funnel, first.id)
    assert saved.add(Funnel, {"name": "a", "query": "step=page_view"}).id > first.id


def test_kinds_do_not_mix(saved: Saved) -> None:
    row = saved.add(Funnel, {"name": "a", "query": ""})
    saved.delete(Segment, row.id)
    assert saved.all(Funnel) == [row]
    with pytest.raises(CannotSave):
        saved.change(Segment, row.id, {"name": "b"})


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_comes_back_as_it_was(saved: Saved, text: str) -> None:
    saved.add(SavedQuery, {"name": text, "sql": text, "description": text, "pinned": "true"})
    [row] = saved.all(SavedQuery)
    assert (row.name, row.sql, row.description, row.pinned) == (text, text, text, True)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (Segment, {}),
        (Segment, {"name": "a"}),
        (Segment, {"name": "a", "filters": []}),
        (Segment, {"name": "", "filters": ["a=1"]}),
        (Segment, {"name": "  ", "filters": ["a=1"]}),
        (Segment, {"name": "a\nb", "filters": ["a=1"]}),
        (Segment, {"name": "a\0", "filters": ["a=1"]}),
        (Segment, {"name": "a\n", "filters": ["a=1"]}),
        (Segment, {"name": "a" * 101, "filters": ["a=1"]}),
        (Segment, {"name": 5, "filters": ["a=1"]}),
        (Segment, {"name": None, "filters": ["a=1"]}),
        (Segment, {"name": "\ud800", "filters": ["a=1"]}),
        (Segment, {"name": "a", "filters": "a=1"}),
        (Segment, {"name": "a", "filters": ["a=1"] * 51}),
        (Segment, {"name": "a", "filters": ["a=" + "1" * 1000]}),
        (Segment, {"name": "a", "filters": ["a=1"], "colour": "red"}),
        (Annotation, {"at": "2026-11-01", "text": ""}),
        (Annotation, {"at": "2026-11-01", "text": "a" * 1001}),
        (Annotation, {"at": "yesterday", "text": "a"}),
        (Annotation, {"at": "2026-02-30", "text": "a"}),
        (Annotation, {"at": "2026-11-01T12:00:00", "text": "a"}),
        (Annotation, {"at": "0000000000", "text": "a"}),
        (Funnel, {"name": "a", "query": "a=ä"}),
        (Funnel, {"name": "a", "query": "a=1\n"}),
        (Funnel, {"name": "a", "query": "a=1\r\nset-cookie: a"}),
        (Funnel, {"name": "a", "query": "a" * 8001}),
        (SavedQuery, {"name": "a", "sql": " "}),
        (SavedQuery, {"name": "a", "sql": "a" * 20_001}),
        (SavedQuery, {"name": "a", "sql": "select 1", "pinned": "perhaps"}),
        (Share, {"name": "a", "page": "sql", "expires": "2026-11-01T12:00:00Z", "token": "t"}),
        (Share, {"name": "a", "page": "../settings", "expires": "2026-11-01T12:00:00Z", "token": "t"}),
        (Share, {"name": "a", "page": "events", "expires": "never", "token": "t"}),
    ],
)
def test_what_cannot_be_kept_says_why(saved: Saved, kind: type[Row], told: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(CannotSave) as caught:
        saved.add(kind, told)
    assert caught.value.status == 400 and str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "at", ["2026-11-01", "2026-11-01T12:00:00Z", "2026-11-01T12:00:00.123+02:00", "20261101T120000Z"]
)
def test_times_of_annotations(saved: Saved, at: str) -> None:
    assert saved.add(Annotation, {"at": at, "text": "v1.2"}).at == at


def test_a_name_is_taken_once(saved: Saved) -> None:
    saved.add(Funnel, {"name": "a", "query": ""})
    other = saved.add(Funnel, {"name": "b", "query": ""})
    saved.add(SavedQuery, {"name": "a", "sql": "select 1"})
    for attempt in (
        lambda: saved.add(Funnel, {"name": "a", "query": "x=1"}),
        lambda: saved.change(Funnel, other.id, {"name": "a"}),
    ):
        with pytest.raises(CannotSave, match="name") as caught:
            attempt()
        assert caught.value.status == 409
    assert [row.name for row in saved.all(Funnel)] == ["a", "b"]


def test_so_many_of_a_kind(saved: Saved) -> None:
    for number in range(MOST):
        saved.add(Annotation, {"at": "2026-11-01", "text": str(number)})
    with pytest.raises(CannotSave, match=str(MOST)) as caught:
        saved.add(Annotation, {"at": "2026-11-01", "text": "one more"})
    assert caught.value.code == "too_many"
    saved.add(Funnel, {"name": "of another kind", "query": ""})


def test_others_see_it_at_once(saved: Saved, tmp_path: Path) -> None:
    other = Saved(tmp_path / "data" / "dashboard.db")
    assert other.all(Funnel) == []
    row = saved.add(Funnel, {"name": "a", "query": ""})
    assert other.all(Funnel) == [row]
    other.delete(Funnel, row.id)
    assert saved.all(Funnel) == []
    other.close()


def test_many_threads_lose_nothing(saved: Saved) -> None:
    def add(name: int) -> None:
        for number in range(20):
            saved.add(Funnel, {"name": f"{name}-{number}", "query": ""})

    threads = [threading.Thread(target=add, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(saved.all(Funnel)) == 80


def test_what_is_no_database_says_so(tmp_path: Path) -> None:
    path = tmp_path / "dashboard.db"
    path.write_bytes(b"this is no database, but long enough to be looked at as one" * 20)
    saved = Saved(path)
    for attempt in (lambda: saved.all(Funnel), lambda: saved.add(Funnel, {"name": "a", "query": ""})):
        with pytest.raises(CannotSave, match=r"dashboard\.db cannot be") as caught:
            attempt()
        assert caught.value.status == 503


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    saved = Saved(tmp_path / "data" / "dashboard.db")
    assert saved.all(Funnel) == []
    with pytest.raises(CannotSave, match="cannot be written"):
        saved.add(Funnel, {"name": "a", "query": ""})


_READ_ONLY = """
import os, sys
from pathlib import Path
from penstock.dashboard.saved import CannotSave, Funnel, Saved
os.setuid(65534)
saved = Saved(Path(sys.argv[1]))
print([row.name for row in saved.all(Funnel)])
try:
    saved.add(Funnel, {"name": "b", "query": ""})
except CannotSave as error:
    print(error.status)
print([row.name for row in saved.all(Funnel)])
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_where_nothing_can_be_written_it_can_be_read() -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        saved = Saved(folder / "dashboard.db")
        saved.add(Funnel, {"name": "a", "query": ""})
        saved.close()
        folder.chmod(0o755)
        (folder / "dashboard.db").chmod(0o644)
        code = [sys.executable, "-c", _READ_ONLY, str(folder / "dashboard.db")]
        done = subprocess.run(code, capture_output=True, text=True, timeout=60)
        assert done.stdout.splitlines() == ["['a']", "503", "['a']"], done.stderr
    finally:
        shutil.rmtree(folder)


def test_a_file_of_a_stopped_process_is_whole(saved: Saved, tmp_path: Path) -> None:
    path = tmp_path / "data" / "dashboard.db"
    code = (
        "import os, sys; from pathlib import Path; from penstock.dashboard.saved import Funnel, Saved;"
        "saved = Saved(Path(sys.argv[1])); saved.add(Funnel, {'name': 'a', 'query': ''}); os._exit(1)"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], timeout=60)
    assert [row.name for row in saved.all(Funnel)] == ["a"]
    with sqlite3.connect(path) as db:
        assert db.execute("pragma journal_mode").fetchone() == ("wal",)
    db.close()
