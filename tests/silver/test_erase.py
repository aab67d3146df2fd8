"""One person's events leave silver, quarantine and bronze; everybody else's stay, and the ledger balances."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from penstock.bronze.lines import decompress
from penstock.errors import LakeError
from penstock.pipeline import Pipeline
from penstock.settings import Settings
from penstock.silver import bookmark, rebuild
from penstock.silver import erase as erasing
from penstock.silver.commit import Table
from penstock.silver.compact import compact
from penstock.silver.erase import Receipt, Who, erase
from penstock.silver.refine import refine
from penstock.verify import verify
from support import NOW, LakeInHand

PERSON = 'u"1é'


def event(n: int, user: str | None = None, **fields: Any) -> dict[str, Any]:
    who = {"user_id": user} if user is not None else {}
    at = (NOW - timedelta(minutes=7 * n)).isoformat()
    return {"event_id": f"e{n}", "event_type": "thing", "event_ts": at, **who, **fields}


def fill(hand: LakeInHand) -> None:
    """Rows, copies in other objects, lines that are no events, merged files; half of it is the person's."""
    for first in (0, 10):
        hand.put([event(n, PERSON if n % 2 else f"u{n}") for n in range(first, first + 10)])
        hand.refine()
    hand.put([event(3, PERSON), event(4, "u4"), event(5, PERSON), event(5, PERSON)])
    hand.put(
        [
            event(40, PERSON, event_type=""),
            event(41, "u41", event_type=""),
            '{"user_id": ' + json.dumps(PERSON) + ", bad",
        ]
    )
    hand.refine()
    compact(hand.lake.silver.events, "event_ts", many=2)


def rid(hand: LakeInHand, who: Who = "user_id", value: str = PERSON) -> Receipt:
    return erase(hand.lake, who, value, NOW)


def balance(hand: LakeInHand) -> dict[str, int]:
    rows = hand.sql("select outcome, sum(events)::bigint as n from ledger group by outcome having n <> 0 order by all")
    return {row["outcome"]: row["n"] for row in rows}


def problems(hand: LakeInHand) -> list[str]:
    way = Pipeline(Settings(data=hand.folder))
    try:
        return verify(way).problems
    finally:
        way.close()


def traces(folder: Path, *needles: str) -> list[str]:
    """Files that hold one of these texts, packed or not."""
    found = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        data = path.read_bytes()
        plain = bytes(decompress(data)) if path.suffix == ".gz" else data
        found += [str(path) for needle in needles if needle.encode() in plain]
    return found


def test_all_of_the_person_goes_and_nothing_else(hand: LakeInHand) -> None:
    fill(hand)
    others = hand.sql(f"select * from events where user_id <> '{PERSON}' order by event_id")
    assert balance(hand) == {"duplicate": 4, "quarantined": 3, "stored": 20}

    receipt = rid(hand)

    assert (receipt.stored, receipt.duplicate, receipt.quarantined) == (10, 3, 2)
    assert len(receipt.bronze_objects) == 4
    assert hand.sql("select * from events order by event_id") == others
    assert hand.sql("select detail from quarantine") == [{"detail": "event_type is missing"}]
    assert balance(hand) == {"duplicate": 1, "quarantined": 1, "stored": 10}
    assert problems(hand) == []


def test_no_file_holds_the_person_any_more(hand: LakeInHand) -> None:
    fill(hand)
    needles = (PERSON, json.dumps(PERSON)[1:-1])
    assert traces(hand.folder, *needles)
    rid(hand)
    assert traces(hand.folder, *needles) == []


def test_older_generations_go_too(hand: LakeInHand) -> None:
    fill(hand)
    for shown in (True, False):
        begun = rebuild.begin(hand.lake, NOW)
        rebuild.fill(hand.lake, begun, batch_bytes=1 << 30)
        if shown:
            rebuild.show(hand.lake, begun)
    rid(hand)
    assert rebuild.kept(hand.lake) == []
    assert traces(hand.folder, PERSON) == []
    assert problems(hand) == []


def test_a_second_time_finds_nothing(hand: LakeInHand) -> None:
    fill(hand)
    rid(hand)
    version = hand.lake.silver.events.version()
    again = rid(hand)
    assert (again.stored, again.duplicate, again.quarantined, again.bronze_objects) == (0, 0, 0, ())
    assert hand.lake.silver.events.version() == version


def test_what_is_rebuilt_afterwards_does_not_have_it(hand: LakeInHand) -> None:
    fill(hand)
    rid(hand)
    before = hand.sql("select * from events order by event_id")
    begun = rebuild.begin(hand.lake, NOW)
    rebuild.fill(hand.lake, begun, batch_bytes=1 << 30)
    rebuild.show(hand.lake, begun)
    assert hand.sql("select * from events order by event_id") == before
    assert problems(hand) == []


@pytest.mark.parametrize("who", ["anonymous_id", "session_id"])
def test_by_another_id(hand: LakeInHand, who: Who) -> None:
    hand.put([event(1, **{who: "x"}), event(2, **{who: "y"}), event(1, **{who: "x"})])
    hand.refine()
    assert rid(hand, who, "x").stored == 1
    assert hand.sql(f"select {who} from events") == [{who: "y"}]
    assert problems(hand) == []


def test_a_short_number_is_not_found_inside_others(hand: LakeInHand) -> None:
    hand.put([event(1, user_id=1), event(2, user_id=11), '{"user_id":1, bad', '{"user_id":11, "price":21 bad'])
    hand.refine()
    receipt = rid(hand, value="1")
    assert (receipt.stored, receipt.quarantined) == (1, 1)
    assert hand.sql("select user_id from events") == [{"user_id": "11"}]


def test_nobody_of_that_name(hand: LakeInHand) -> None:
    fill(hand)
    assert rid(hand, value="nobody").silver_files == 0


def test_what_waits_has_to_be_refined_first(hand: LakeInHand) -> None:
    hand.put([event(1, PERSON)])
    with pytest.raises(LakeError, match="1 objects wait"):
        rid(hand)


class Crash(Exception):
    """Stands for the end of the process."""


@pytest.mark.parametrize(
    ("owner", "name"),
    [(bookmark, "freeze"), (erasing, "rewrite"), (Table, "commit"), (Table, "purge"), (bookmark, "forget")],
)
@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("finisher", [refine, None])
def test_a_crash_on_the_way_is_finished_by_whoever_comes(
    hand: LakeInHand,
    monkeypatch: pytest.MonkeyPatch,
    owner: Any,
    name: str,
    nth: int,
    finisher: Callable[..., Any] | None,
) -> None:
    fill(hand)
    count = 0

    def crashing(original: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **options: Any) -> Any:
            nonlocal count
            count += 1
            if count == nth:
                raise Crash
            return original(*args, **options)

        return counted

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, crashing(getattr(owner, name)))
        try:
            rid(hand)
        except Crash:
            hand = LakeInHand(hand.folder)
    if finisher is not None:
        while finisher(hand.lake) is not None:
            pass
    rid(hand)
    assert len(hand.sql("select * from events")) == 10
    assert balance(hand) == {"duplicate": 1, "quarantined": 1, "stored": 10}
    assert traces(hand.folder, PERSON) == []
    assert problems(hand) == []
