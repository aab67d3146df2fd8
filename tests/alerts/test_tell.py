"""Telling several: it ends, everybody has a turn, and no secret is shown."""

from __future__ import annotations

from typing import Any

import pytest
from structlog.testing import capture_logs

from hand_clock import NOON
from penstock.alerts import tell as module
from penstock.alerts.notice import Notice
from penstock.alerts.tell import shown, tell
from penstock.settings import Settings

from .conftest import Hook

NOTICE = Notice("sales", "firing", "bots", ["events is 0"], NOON, NOON, NOON, NOON)
PRIVATE = Settings.model_validate({"webhooks": {"allow_private": True}})


def test_who_was_not_tried_is_tried_first_the_next_time(hook: Hook, drip: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SECONDS", 0.3)
    slow, good = f"webhook:http://127.0.0.1:{drip}/", f"webhook:{hook.url}"
    assert tell(NOTICE, [slow, good], PRIVATE) == [good, slow]
    monkeypatch.setattr(module, "_SECONDS", 30.0)
    monkeypatch.setattr(module, "_SECONDS_EACH", 1.0)
    assert tell(NOTICE, [good, slow], PRIVATE) == [slow]
    assert len(hook.bodies) == 1


def test_the_log_is_told_all() -> None:
    with capture_logs() as logs:
        assert tell(NOTICE, ["log"], PRIVATE) == []
    [entry] = logs
    assert (entry["event"], entry["alert"], entry["layer"], entry["log_level"]) == ("alert", "sales", "bots", "warning")


def test_a_secret_in_a_url_is_not_logged(hook: Hook) -> None:
    hook.status = 500
    with capture_logs() as logs:
        tell(NOTICE, [f"webhook:{hook.url}"], PRIVATE)
    assert "key=1" not in str(logs) and "/hook" not in str(logs)
    assert logs[0]["to"] == f"webhook:http://127.0.0.1:{hook.port}/…"


@pytest.mark.parametrize("target", ["webhook:nonsense", "webhook:http://[", "nonsense", "mailto:a@b.example"])
def test_nothing_is_ever_raised(target: str) -> None:
    expected: Any = [] if target == "nonsense" else [target]
    assert tell(NOTICE, [target], PRIVATE) == expected


def test_what_is_shown() -> None:
    assert shown("webhook:https://hooks.example/T0/secret?x=y") == "webhook:https://hooks.example/…"
    assert shown("webhook:https://user:secret@hooks.example/") == "webhook:…"
    assert shown("mailto:me@shop.example") == "mailto:me@shop.example"
