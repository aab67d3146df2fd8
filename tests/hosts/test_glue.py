"""The program that Glue or `spark-submit` starts, started by `spark-submit`, with arguments such as Glue adds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from penstock.hosts.glue import main
from spark_in_hand import java_or_skip
from support import LakeInHand

_GLUES_OWN = ["--JOB_NAME", "refine", "--JOB_RUN_ID", "jr_1", "--TempDir", "s3://scratch/", "--enable-metrics", "true"]


def submitted(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    """What the job printed."""
    job = folder / "job.py"
    job.write_text("from penstock.hosts.glue import main\n\nmain()\n")
    quiet = {"spark.ui.enabled": "false", "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}
    told = [part for name, value in quiet.items() for part in ("--conf", f"{name}={value}")]
    program = str(Path(sysconfig.get_path("scripts")) / "spark-submit")
    done = subprocess.run(
        [program, "--master", "local[2]", *told, str(job), *arguments],
        env={**os.environ, "PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.heavy
def test_a_run_takes_what_is_new_and_the_next_one_nothing(tmp_path: Path) -> None:
    java_or_skip()
    hand = LakeInHand(tmp_path / "lake")
    event = {"event_type": "page_view", "event_id": "1", "event_ts": "2026-03-28T10:00:00Z"}
    hand.put([event, event, {"event_type": "page_view", "event_id": "2"}, "no JSON"])
    arguments = [*_GLUES_OWN, "--lake", (tmp_path / "lake").as_uri()]
    assert submitted(tmp_path, *arguments) == [
        {"batch": 1, "files": 1, "stored": 2, "duplicate": 1, "quarantined": 1, "damaged": 0},
        {"batches": 1},
    ]
    assert submitted(tmp_path, *arguments) == [{"batches": 0}]
    assert (tmp_path / "lake" / "silver" / "engine").read_text() == "spark"


def test_without_a_lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="there is no lake"):
        main(_GLUES_OWN)


def test_settings_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="there is no settings file"):
        main(["--config", str(tmp_path / "none.toml")])
