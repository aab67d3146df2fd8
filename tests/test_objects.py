"""Objects on a local disk: what `put` returns from is durable, and what is half written is never seen."""

from __future__ import annotations

import os
import stat
import tempfile
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hand_clock import NOON
from penstock.errors import SettingsError
from penstock.objects import (
    Children,
    Entry,
    Objects,
    local_path,
    make_folder,
    sweep,
    sync_file,
    sync_folder,
    write_durably,
)


@pytest.fixture
def store(tmp_path: Path) -> Objects:
    return Objects((tmp_path / "store").as_uri())


def test_what_is_put_can_be_got(store: Objects) -> None:
    assert store.put("a/b/c.txt", b"one")
    assert store.get("a/b/c.txt") == b"one"
    assert store.exists("a/b/c.txt")
    assert list(store.list()) == [Entry("a/b/c.txt", 3)]


def test_what_is_put_again_is_replaced(store: Objects) -> None:
    assert store.put("a", b"long text")
    assert store.put("a", b"short")
    assert store.get("a") == b"short"


def test_create_takes_only_a_free_key(store: Objects) -> None:
    assert store.put("a", b"first", create=True)
    assert not store.put("a", b"second", create=True)
    assert store.get("a") == b"first"
    store.delete("a")
    assert store.put("a", b"third", create=True)


def test_of_many_that_create_at_once_one_wins(store: Objects) -> None:
    won: list[bytes] = []
    gate = threading.Barrier(8)

    def create(name: bytes) -> None:
        gate.wait()
        if store.put("key", name, create=True):
            won.append(name)

    threads = [threading.Thread(target=create, args=(b"%d" % n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == [store.get("key")]


def test_what_is_not_there(store: Objects) -> None:
    store.put("folder/file", b"")
    for key in ("missing", "folder/missing", "nowhere/missing"):
        with pytest.raises(FileNotFoundError):
            store.get(key)
        assert not store.exists(key)
        store.delete(key)
    assert not store.exists("folder")
    assert store.exists("folder/file")
    assert list(store.list("nowhere/")) == []


@pytest.mark.parametrize(
    ("start", "size", "expected"), [(0, 5, b"01234"), (3, 4, b"3456"), (8, 9, b"89"), (10, 1, b"")]
)
def test_a_part_of_an_object(store: Objects, start: int, size: int, expected: bytes) -> None:
    store.put("a", b"0123456789")
    assert store.get_range("a", start, size) == expected
    with pytest.raises(FileNotFoundError):
        store.get_range("missing", start, size)


def test_an_empty_object_is_an_object(store: Objects) -> None:
    store.put("empty", b"")
    assert store.get("empty") == b""
    assert list(store.list()) == [Entry("empty", 0)]


def test_a_listing_is_of_one_folder_and_below(store: Objects) -> None:
    for key in ("in/a", "in/b/c", "inside", "other/in/a"):
        store.put(key, b"")
    assert sorted(entry.key for entry in store.list("in/")) == ["in/a", "in/b/c"]


def test_children_are_of_one_folder(store: Objects) -> None:
    for key in ("b", "in/z", "in/b/c", "in/b/d", "in/a/e", "inside"):
        store.put(key, b"12")
    assert store.root is not None
    (store.root / "in" / "0123.tmp").write_bytes(b"half")
    (store.root / "in" / "link").symlink_to("/etc/hostname")
    assert store.children("in/") == Children(["in/a/", "in/b/"], [Entry("in/z", 2)])
    assert store.children() == Children(["in/"], [Entry("b", 2), Entry("inside", 2)])
    assert store.children("nowhere/") == Children([], [])


def test_settling_removes_empty_folders_and_nothing_else(store: Objects) -> None:
    for key in ("a/b/c/gone", "a/b/d/e/gone", "a/b/f/stays", "x/y/gone", "z"):
        store.put(key, b"")
    for key in ("a/b/c/gone", "a/b/d/e/gone", "x/y/gone"):
        store.delete(key)
    store.settle("a/b/")
    store.settle("x/y/")
    store.settle("nowhere/at/all/")
    assert store.root is not None
    found = sorted(path.relative_to(store.root).as_posix() for path in store.root.rglob("*"))
    assert found == ["a", "a/b", "a/b/f", "a/b/f/stays", "z"]


def test_settling_syncs_what_stays(store: Objects, steps: list[str]) -> None:
    for key in ("a/b/gone", "a/c/gone", "a/c/stays"):
        store.put(key, b"")
    for key in ("a/b/gone", "a/c/gone"):
        store.delete(key)
    del steps[:]
    store.settle("a/")
    assert set(steps) == {"sync a", "sync c"}
    store.delete("a/c/stays")
    del steps[:]
    store.settle("a/")
    assert steps == ["sync store"]


def test_only_old_temporary_files_are_swept(store: Objects) -> None:
    store.put("a/b/whole", b"")
    assert store.root is not None
    old, new = store.root / "a" / "b" / "0.tmp", store.root / "a" / "1.tmp"
    for path, age in ((old, 90_000), (new, 80_000), (store.root / "a" / "b" / "whole", 90_000)):
        path.touch()
        os.utime(path, (NOON.timestamp() - age,) * 2)
    assert sweep(store.root, NOON - timedelta(days=1)) == 1
    assert not old.exists()
    assert new.exists()
    assert store.exists("a/b/whole")
    assert sweep(store.root / "nowhere", NOON) == 0


def test_a_listing_leaves_out_what_is_half_written(store: Objects) -> None:
    store.put("in/whole", b"")
    store.put("in/whole.tmpl", b"")
    assert store.root is not None
    (store.root / "in" / "0123.tmp").write_bytes(b"half")
    assert sorted(entry.key for entry in store.list("in/")) == ["in/whole", "in/whole.tmpl"]


def test_a_listing_leaves_out_what_is_no_file(store: Objects) -> None:
    store.put("in/whole", b"")
    assert store.root is not None
    (store.root / "in" / "link").symlink_to("/etc/hostname")
    (store.root / "in" / "loop").symlink_to(store.root)
    os.mkfifo(store.root / "in" / "pipe")
    assert [entry.key for entry in store.list()] == ["in/whole"]


@pytest.mark.parametrize("key", ["/etc/hostname", "../outside", "a/../../outside", ".."])
def test_a_key_does_not_lead_out(store: Objects, key: str) -> None:
    for use in (store.get, store.exists, store.delete, lambda key: store.put(key, b"")):
        with pytest.raises(ValueError, match="key"):
            use(key)


ODD = "abc\n\x01 é\u4e2d😀 %20%2F#?*~'\"{}&!=+<>^`[]()@,;:\\|..-_"


PARTS = st.text(ODD, min_size=1, max_size=20).filter(lambda part: part not in (".", ".."))


@settings(deadline=None)
@given(st.lists(PARTS, min_size=1, max_size=3))
def test_keys_may_hold_odd_characters(parts: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert_kept(Objects(Path(folder).as_uri()), "/".join(parts))


def assert_kept(store: Objects, key: str) -> None:
    assert store.put(key, b"x")
    assert store.get(key) == b"x"
    assert store.exists(key)
    assert [entry.key for entry in store.list()] == [key]
    assert not store.put(key, b"y", create=True)
    store.delete(key)
    assert list(store.list()) == []


@pytest.mark.parametrize("name", ["plain", "with space", "ünïcode", "hash#", "question?", "per cent 100%", "st*r[1]"])
def test_a_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    store = Objects(folder.as_uri())
    store.put("a", b"x")
    assert (folder / "a").read_bytes() == store.get("a") == b"x"


# durably


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is done to the disk, in order: `sync NAME`, `place NAME`."""
    found: list[str] = []

    def spy(owner: object, name: str, tell: Callable[..., str]) -> None:
        real = getattr(owner, name)

        def spying(*args: object) -> object:
            found.append(tell(*args))
            return real(*args)

        monkeypatch.setattr(owner, name, spying)

    def called(path: object) -> str:
        name = Path(str(path)).name
        return "temporary" if name.endswith(".tmp") else name

    spy(os, "fsync", lambda descriptor: "sync " + called(Path(f"/proc/self/fd/{descriptor}").readlink()))
    spy(Path, "replace", lambda source, target: "place " + called(target))
    spy(Path, "hardlink_to", lambda target, source: "place " + called(target))
    return found


@pytest.mark.parametrize("create", [False, True])
def test_the_bytes_are_synced_before_the_name_and_the_name_before_the_return(
    tmp_path: Path, steps: list[str], create: bool
) -> None:
    (tmp_path / "folder").mkdir()
    assert write_durably(tmp_path / "folder" / "file", b"x", create=create)
    assert steps == ["sync temporary", "place file", "sync folder"]


def test_new_folders_are_synced_from_the_top(tmp_path: Path, steps: list[str]) -> None:
    write_durably(tmp_path / "a" / "b" / "file", b"x")
    assert steps == [f"sync {tmp_path.name}", "sync a", "sync temporary", "place file", "sync b"]


def test_a_name_that_is_taken_is_synced_too(tmp_path: Path, steps: list[str]) -> None:
    """Whoever made it may have been killed before he synced, and the caller is about to rely on it."""
    (tmp_path / "file").write_bytes(b"x")
    assert not write_durably(tmp_path / "file", b"y", create=True)
    assert steps[-1] == f"sync {tmp_path.name}"


@pytest.mark.parametrize("create", [False, True])
def test_a_failed_sync_leaves_the_old_content_and_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, create: bool
) -> None:
    path = tmp_path / "file"
    if not create:
        path.write_bytes(b"old")

    def fail(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="Input/output"):
        write_durably(path, b"new", create=create)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == ({} if create else {"file": b"old"})


def test_files_have_the_usual_permissions(tmp_path: Path) -> None:
    """The lake is open files: who may read the folder may read them."""
    mask = os.umask(0o022)
    try:
        write_durably(tmp_path / "file", b"x")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o644


def test_make_folder_makes_what_is_missing(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        make_folder(tmp_path / "file" / "below")


def test_sync_says_when_there_is_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        sync_file(tmp_path / "missing")
    with pytest.raises(FileNotFoundError):
        sync_folder(tmp_path / "missing")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("file:///data/x", Path("/data/x")),
        ("file:/data/x", Path("/data/x")),
        ("file:///my%20data/100%25", Path("/my data/100%")),
        ("s3://bucket/prefix", None),
        ("gs://bucket", None),
    ],
)
def test_a_url_is_of_a_folder_or_of_an_object_store(url: str, expected: Path | None) -> None:
    assert local_path(url) == expected


@pytest.mark.parametrize(
    "url", ["data", "/data", "", "file:data", "file://data/x", "file:///a?b", "file:///a#b", "file:"]
)
def test_what_is_neither_is_an_error(url: str) -> None:
    with pytest.raises(SettingsError, match="URL") as caught:
        local_path(url)
    assert "file:///" in caught.value.hint
