"""Bronze's old days go, whole, oldest first; nothing that silver has not taken."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta
from itertools import count
from pathlib import Path

import pytest

from bronze_in_hand import NOON, body, bronze_at, content, fill, key_of, merge_all, raw
from faults import Crash, Fault
from penstock.bronze.deliver import announce
from penstock.bronze.expire import Expired, expire
from penstock.bronze.layout import load_key
from penstock.bronze.store import Bronze
from penstock.objects import Objects

DAYS = [NOON - timedelta(days=days) for days in (400, 40, 1, 0)]


@pytest.fixture
def bronze(tmp_path: Path) -> Bronze:
    return bronze_at(tmp_path)


def fill_days(bronze: Bronze) -> dict[str, bytes]:
    """Merged, not merged, and loaded, on four days."""
    made: dict[str, bytes] = {}
    for number, day in enumerate(DAYS):
        made |= fill(bronze, 3, day, first=10 * number)
    merge_all(bronze)
    for number, day in enumerate(DAYS):
        made |= fill(bronze, 1, day - timedelta(hours=1), first=10 * number + 5)
        key = load_key("f" * 64, f"{number}.jsonl", day)
        bronze.put(key, body(number))
        bronze.put(f"loads/{number}", key.encode())
        made[key] = body(number)
    return made


def test_what_arrived_before_the_day_is_gone(bronze: Bronze, tmp_path: Path) -> None:
    made = fill_days(bronze)
    done = expire(bronze, date(2026, 2, 1))
    assert (done.days, done.objects) == (3, 3 * 4)
    assert done.bytes > 3 * len(body(0))
    kept = {key: data for key, data in made.items() if "month=02/day=01" in key}
    assert content(bronze) == kept
    assert len(kept) == 5
    assert len(list(bronze.list("loads/"))) == 4, "a file that was loaded does not come again"
    folders = [path.name for path in (tmp_path / "bronze").iterdir()]
    assert sorted(folders) == ["loads", "state", "year=2026"]
    assert [path.name for path in (tmp_path / "bronze" / "year=2026").iterdir()] == ["month=02"]
    assert expire(bronze, date(2026, 2, 1)) == Expired()


def test_nothing_is_that_old(bronze: Bronze) -> None:
    assert expire(bronze, date(2026, 2, 1)) == Expired()
    made = fill_days(bronze)
    assert expire(bronze, date(2024, 12, 28)) == Expired()
    assert content(bronze) == made


def test_what_silver_has_not_taken_stays(bronze: Bronze) -> None:
    made = fill_days(bronze)
    waiting = key_of(5, DAYS[0] - timedelta(hours=1))
    announce(bronze, waiting, 1)
    expire(bronze, date(2026, 3, 1))
    assert content(bronze) == {waiting: made[waiting]}


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_between_any_two_steps(tmp_path: Path, after: bool) -> None:
    for nth in count(1):
        bronze = bronze_at(tmp_path / str(nth))
        made = fill_days(bronze)
        fault = Fault(nth, after=after)
        with suppress(Crash):
            expire(Bronze(fault.at(Objects(bronze.url))), date(2026, 2, 1))
        assert {key: bronze.get(key) for key in made if "month=02" in key}
        expire(bronze, date(2026, 2, 1))
        assert all("month=02/day=01" in key for key in raw(bronze))
        if not fault.happened:
            break
    assert nth > 20
