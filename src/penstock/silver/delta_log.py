"""The end of a Delta log on a local disk: what a power cut tore is moved aside, what is last is fsynced."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import LakeError
from ..objects import sync_file, sync_folder

_LOOKBACK = 2
_POINTER = "_last_checkpoint"
_DIGITS = 20


def set_torn_commits_aside(root: Path) -> list[Path]:
    """Rename commits at the end of the log that a power cut left incomplete; returns what they are called now.

    Only the last ones can be torn: each is fsynced before the next is begun. A checkpoint that was written after a
    torn commit, or is torn itself, goes too; the JSON commits hold all that it held. Raises LakeError if one is torn
    that has whole ones after it.
    """
    log = log_folder(root)
    commits = _last_commits(log)
    torn = [path for path in commits if not _is_whole(path)]
    if torn != commits[len(commits) - len(torn) :]:
        raise LakeError(f"{torn[0]} is damaged, and later commits are not", hint="restore the file, or rebuild silver")
    end = torn[0].name[:_DIGITS] if torn else "~"
    torn += [path for path in _last_checkpoints(log) if path.name[:_DIGITS] >= end or not _is_parquet(path)]
    aside = [set_aside(path) for path in torn]
    pointer = log / _POINTER
    if pointer.exists() and not _points_to_something(pointer):
        aside.append(set_aside(pointer))
    if aside:
        sync_folder(log)
    return aside


def sync_last(root: Path) -> None:
    """fsync what is last in the log; what came before it was, by whoever wrote it, or opened the table after him."""
    log = log_folder(root)
    last = [*_last_commits(log), *_last_checkpoints(log), *log.glob(_POINTER)]
    for path in last:
        sync_file(path)
    if last:
        sync_folder(log)


def log_folder(root: Path) -> Path:
    return root / "_delta_log"


def commit_name(version: int) -> str:
    return f"{version:0{_DIGITS}}.json"


def _last_commits(log: Path) -> list[Path]:
    return sorted(log.glob("*.json"))[-_LOOKBACK:]


def _last_checkpoints(log: Path) -> list[Path]:
    return sorted(log.glob("*.checkpoint*.parquet"))[-_LOOKBACK:]


def _is_whole(path: Path) -> bool:
    """Every line is JSON, and all is there that the commit's first line says."""
    try:
        actions = [json.loads(line) for line in path.read_text().splitlines()]
    except ValueError:
        return False
    names = [name for action in actions for name in action]
    info: dict[str, str] = next((action["commitInfo"] for action in actions if "commitInfo" in action), {})
    if "penstock.files" not in info:
        return bool(actions)  # somebody else's
    if info["penstock.files"] == "0" and "penstock.batch" not in info:  # made, or given columns
        return "metaData" in names and ("protocol" in names or path.name > commit_name(0))
    changed = names.count("add") + names.count("remove")
    return changed == int(info["penstock.files"]) and ("penstock.batch" not in info or "txn" in names)


def _is_parquet(path: Path) -> bool:
    try:
        pq.read_table(path)
    except (pa.ArrowException, OSError):
        return False
    return True


def _points_to_something(pointer: Path) -> bool:
    try:
        version = json.loads(pointer.read_text())["version"]
    except (ValueError, KeyError, TypeError):
        return False
    return any(pointer.parent.glob(f"{version:0{_DIGITS}}.checkpoint*.parquet"))


def set_aside(path: Path) -> Path:
    target = path.with_name(path.name + ".torn")
    path.replace(target)
    return target
