"""What is asked of a worker is answered once, to whom it concerns, and is forgotten in the end."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from uuid import UUID

import pytest

from penstock.errors import Transient
from penstock.requests import Requests


@pytest.fixture
def requests(tmp_path: Path) -> Requests:
    return Requests(tmp_path / "data")


def test_an_answer_can_be_asked_for_again_and_again(requests: Requests) -> None:
    name = requests.put("replay", {"reasons": "a"})
    assert requests.waits("replay", name)
    assert requests.answered("replay", name) is None
    assert requests.answer("replay", lambda asked: {"told": asked["reasons"]}) == 1
    assert not requests.waits("replay", name)
    assert [requests.answered("replay", name) for _ in range(2)] == [{"told": "a"}] * 2
    assert requests.answer("replay", lambda asked: None) == 0


def test_who_waits_takes_the_answer_away(requests: Requests) -> None:
    def work() -> None:
        while not requests.answer("erase", lambda asked: asked):
            pass

    worker = threading.Thread(target=work)
    worker.start()
    assert requests.ask("erase", {"who": "me"}, seconds=20) == {"who": "me"}
    worker.join()
    assert not [path for path in requests._folder.rglob("*") if path.is_file()]


def test_nobody_answers(requests: Requests) -> None:
    with pytest.raises(Transient):
        requests.ask("erase", {}, seconds=0)


@pytest.mark.parametrize("name", ["", "x", "../../requests/replay/x", "0" * 32, f"{{{UUID(int=0)}}}"])
def test_names_that_are_none(requests: Requests, name: str) -> None:
    assert requests.answered("replay", name) is None
    assert not requests.waits("replay", name)


def test_old_answers_are_forgotten(requests: Requests) -> None:
    new = requests.put("replay", {})
    old = str(UUID(int=(int(time.time() - 100_000) * 1000 << 80) | 0x7000 << 64 | 2 << 62))
    requests._store().put(f"answers/replay/{old}", b"{}")
    assert requests.answered("replay", old) == {}
    requests.answer("replay", lambda asked: {})
    assert requests.answered("replay", old) is None
    assert requests.answered("replay", new) == {}
