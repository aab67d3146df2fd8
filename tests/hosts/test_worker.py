"""The worker's rounds: alerts are told, also while a job fails."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from penstock.alerts.state import load as states
from penstock.hosts.worker import work
from penstock.pipeline import Pipeline
from penstock.settings import load

ALERT = {"name": "silence", "report": "events", "column": "events", "when": "below", "value": 1, "last": "1h"}


class Rounds(threading.Event):
    """Lets so many rounds go, without their pauses."""

    def __init__(self, rounds: int) -> None:
        super().__init__()
        self.rounds = rounds

    def wait(self, timeout: float | None = None) -> bool:
        self.rounds -= 1
        return self.rounds < 0


def test_alerts_are_evaluated(tmp_path: Path) -> None:
    way = Pipeline(load(data=tmp_path, alerts=[ALERT]))
    work(way, Rounds(1))
    way.close()
    assert states(tmp_path)["silence"].word == "firing"


def test_also_while_a_job_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(Pipeline):
        def drops(self, **_: object) -> None:  # type: ignore[override]
            raise OSError("no disk")

        def drain(self) -> None:
            pass

    way = Broken(load(data=tmp_path, alerts=[ALERT]))
    work(way, Rounds(2))
    way.close()
    assert states(tmp_path)["silence"].word == "firing"
