"""Paths, journeys, forms and retention: what counts and what does not, a few events at a time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from penstock.errors import PenstockError

from .rows_in_hand import RowsInHand

START = datetime(2026, 2, 1, 12, tzinfo=UTC)
ASKED = {"since": "2026-02-01", "until": "2026-02-02"}


@pytest.fixture(scope="module")
def hand() -> RowsInHand:
    return RowsInHand()


def event(what: str, second: float, session: str | None = "s", **more: Any) -> dict[str, Any]:
    return {"event_type": what, "event_ts": START + timedelta(seconds=second), "session_id": session, **more}


def walk(*pages: str | None, session: str | None = "s") -> list[dict[str, Any]]:
    return [event("page_view", second, session, page_path=page) for second, page in enumerate(pages)]


@pytest.mark.parametrize(
    ("pages", "direction", "expected"),
    [
        (["/a", "/b", "/c"], "next", [(1, "/b"), (2, "/c")]),
        (["/x", "/a", "/b"], "next", [(1, "/b"), (2, None)]),
        (["/a"], "next", [(1, None), (2, None)]),
        (["/b"], "next", []),
        # reloads are not steps, and pages without a path are none
        (["/a", "/a", None, "/a", "/b", "/b", "/c"], "next", [(1, "/b"), (2, "/c")]),
        # forwards from the first time, backwards from the last
        (["/a", "/b", "/a", "/c"], "next", [(1, "/b"), (2, "/a")]),
        (["/a", "/b", "/a", "/c"], "previous", [(1, "/b"), (2, "/a")]),
        (["/x", "/a"], "previous", [(1, "/x"), (2, None)]),
    ],
)
def test_paths(hand: RowsInHand, pages: list[str | None], direction: str, expected: list[Any]) -> None:
    hand.put([*walk(*pages), *walk("/a", session=None)])
    rows = hand.rows("paths", page="/a", direction=direction, depth=2, **ASKED)
    assert [(row["step"], row["page_path"]) for row in rows] == expected
    assert all((row["sessions"], row["share"]) == (1, 1.0) for row in rows)


def test_the_usual_pages_come_first_and_the_shares_are_of_all(hand: RowsInHand) -> None:
    hand.put([row for n in range(10) for row in walk("/a", "/b" if n < 6 else f"/{n}", session=f"s{n}")])
    rows = hand.rows("paths", page="/a", depth=1, top=2, **ASKED)
    assert [(row["page_path"], row["sessions"], row["share"]) for row in rows] == [("/b", 6, 0.6), ("/6", 1, 0.1)]


def test_a_path_needs_its_page(hand: RowsInHand) -> None:
    with pytest.raises(PenstockError, match="page"):
        hand.rows("paths", **ASKED)


def test_journeys(hand: RowsInHand) -> None:
    hand.put(
        [
            *walk("/a", "/a", "/b", "/c", session="s"),
            *walk("/a", "/b", "/d", session="t"),
            *walk("/a", session="u"),
            *walk("/a", session=None),
            *walk(None, session="v"),
        ]
    )
    rows = hand.rows("journeys", pages=2, **ASKED)
    assert [(row["journey"], row["sessions"], row["share"]) for row in rows] == [
        ("/a → /b", 2, pytest.approx(2 / 3)),
        ("/a", 1, pytest.approx(1 / 3)),
    ]


def test_a_journey_belongs_to_where_it_began(hand: RowsInHand) -> None:
    hand.put([event("page_view", n, page_path=f"/{n}", channel=c) for n, c in enumerate(["email", "direct", "direct"])])
    assert hand.rows("journeys", by="channel", **ASKED)[0]["channel"] == "email"


def form(what: str, second: float, session: str | None = "s", form: str = "contact", **more: Any) -> dict[str, Any]:
    return event(f"form_{what}", second, session, **{"properties": f'{{"form":"{form}"}}', "page_path": "/", **more})


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([form("start", 0)], [("contact", "/", 1, 0, None)]),
        ([form("start", 0), form("submit", 30)], [("contact", "/", 1, 1, 30.0)]),
        ([form("start", 0), form("submit", 0)], [("contact", "/", 1, 1, 0.0)]),
        ([form("submit", 0), form("start", 1)], [("contact", "/", 1, 0, None)]),
        ([form("submit", 0)], []),
        ([form("start", 0), form("submit", 9, form="other")], [("contact", "/", 1, 0, None)]),
        ([form("start", 0), form("submit", 9, "t")], [("contact", "/", 1, 0, None)]),
        # again, after sending it or on another page, is the same form
        ([form("start", 0), form("submit", 5), form("start", 9, page_path="/b")], [("contact", "/", 1, 1, 5.0)]),
        ([form("start", 0), form("start", 20), form("submit", 30)], [("contact", "/", 1, 1, 30.0)]),
        ([form("start", 0, properties=None, page_path=None)], [(None, None, 1, 0, None)]),
        ([form("start", 0, None)], []),
    ],
)
def test_forms(hand: RowsInHand, rows: list[dict[str, Any]], expected: list[tuple[Any, ...]]) -> None:
    hand.put(rows)
    found = hand.rows("forms", **ASKED)
    names = ("form", "page_path", "started", "submitted", "median_seconds")
    assert [tuple(row[name] for name in names) for row in found] == expected
    assert all(row["abandonment"] == row["abandoned"] / row["started"] for row in found)


def came(day: int, first: int, previous: int | None, session: str) -> dict[str, Any]:
    return {
        "event_type": "page_view",
        "event_ts": datetime(2026, 2, day, 12, tzinfo=UTC),
        "session_id": session,
        "first_day": date(2026, 2, first),
        "prev_day": previous and date(2026, 2, previous),
        "user_id": session[0],
    }


@pytest.mark.parametrize("people", ["visitors", "users"])
def test_retention_by_week(hand: RowsInHand, people: str) -> None:
    """Two come in the week of the 2nd and one of them in each of the next two; one more comes new, and one is older."""
    hand.put(
        [
            came(2, 2, None, "a1"),
            came(3, 2, 2, "a2"),
            came(4, 4, None, "b1"),
            came(9, 2, 3, "a3"),
            came(10, 10, None, "c1"),
            came(11, 10, 10, "c2"),
            came(16, 2, 9, "a4"),
            came(1, 1, None, "d1"),
            came(12, 1, 1, "d2"),
        ]
    )
    now = datetime(2026, 2, 18, tzinfo=UTC)
    rows = hand.rows("retention", since="2026-02-02", until="2026-02-22", people=people, now=now)
    second, ninth, sixteenth = (date(2026, 2, day) for day in (2, 9, 16))
    assert [tuple(row.values()) for row in rows] == [
        (second, second, 0, 2, 2, 1.0, True),
        (second, ninth, 1, 2, 1, 0.5, True),
        (second, sixteenth, 2, 2, 1, 0.5, False),
        (ninth, ninth, 0, 1, 1, 1.0, True),
        (ninth, sixteenth, 1, 1, 0, 0.0, False),
        (sixteenth, sixteenth, 0, 0, 0, None, False),
    ]


def test_a_week_that_is_cut_is_not_complete(hand: RowsInHand) -> None:
    hand.put([came(5, 5, None, "a1")])
    rows = hand.rows("retention", since="2026-02-04", until="2026-02-15")
    assert [(row["cohort"].day, row["period"].day, row["complete"]) for row in rows] == [
        (2, 2, False),
        (2, 9, False),
        (9, 9, True),
    ]
