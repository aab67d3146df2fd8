"""The funnel in SQL equals the funnel in plain Python, whatever the events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.errors import PenstockError

from .rows_in_hand import RowsInHand
from .slow_funnel import Line, Step, funnel, furthest_of_any_choice, moments_by_key

START = datetime(2026, 2, 1, 12, tzinfo=UTC)
ASKED = {"since": "2026-02-01", "until": "2026-02-02"}


@pytest.fixture(scope="module")
def hand() -> RowsInHand:
    return RowsInHand()


def lines(hand: RowsInHand, steps: list[str], **asked: Any) -> list[Line]:
    by = asked.get("by")
    found = hand.rows("funnel", steps=steps, **ASKED, **asked)
    assert hand.rows("funnel", steps=steps, inlines=True, **ASKED, **asked) == found, "asked as other engines are"
    return [Line(row[by] if by else None, *(row[name] for name in Line._fields[1:])) for row in found]


def event(what: str, second: float, session: str | None = "s", **more: Any) -> dict[str, Any]:
    return {"event_type": what, "event_ts": START + timedelta(seconds=second), "session_id": session, **more}


def story(text: str) -> list[dict[str, Any]]:
    """`a b@5 c`: one session; each event a second after the one before, or at that second."""
    found: list[dict[str, Any]] = []
    second = -1.0
    for word in text.split():
        what, _, at = word.partition("@")
        second = float(at) if at else second + 1
        found.append(event(what, second))
    return found


@pytest.mark.parametrize(
    ("told", "steps", "asked", "reached"),
    [
        ("a b c", "a b c", {}, [1, 1, 1]),
        ("a x b x c", "a b c", {}, [1, 1, 1]),
        ("b a c", "a b c", {}, [1, 0, 0]),
        ("c b a", "a b c", {}, [1, 0, 0]),
        ("a c b c", "a b c", {}, [1, 1, 1]),
        ("b c", "a b c", {}, [0, 0, 0]),
        ("", "a b", {}, [0, 0]),
        # a step asked twice has to be done twice
        ("a", "a a", {}, [1, 0]),
        ("a a", "a a a", {}, [1, 1, 0]),
        ("a b a", "a b a", {}, [1, 1, 1]),
        ("a b", "a b a", {}, [1, 1, 0]),
        # at the same time and without seq, events come in the funnel's order, and equal ones are one
        ("b@1 a@1", "a b", {}, [1, 1]),
        ("c@1 b@1 a@1", "a b c", {}, [1, 1, 1]),
        ("a@1 a@1", "a a", {}, [1, 0]),
        ("a@1 b@1 a@1", "a b a", {}, [1, 1, 0]),
        # within a window; a later beginning may get further
        ("a@0 b@60", "a b", {"window": "60s"}, [1, 1]),
        ("a@0 b@61", "a b", {"window": "60s"}, [1, 0]),
        ("a@0 a@50 b@61", "a b", {"window": "60s"}, [1, 1]),
        ("a@0 b@10 c@70", "a b c", {"window": "60s"}, [1, 1, 0]),
        ("a@0 b@10 a@20 b@30 c@70", "a b c", {"window": "1m"}, [1, 1, 1]),
        # strict: nothing that fits a step in between
        ("a x b", "a b", {"order": "strict"}, [1, 1]),
        ("a c b", "a b c", {"order": "strict"}, [1, 0, 0]),
        ("a b b c", "a b c", {"order": "strict"}, [1, 1, 0]),
        ("a a b c", "a b c", {"order": "strict"}, [1, 1, 1]),
        ("a b a b c", "a b c", {"order": "strict"}, [1, 1, 1]),
        ("a@0 b@70 a@80 b@90", "a b", {"order": "strict", "window": "60s"}, [1, 1]),
        ("a@0 b@70", "a b", {"order": "strict", "window": "60s"}, [1, 0]),
        # any order
        ("c b a", "a b c", {"order": "any"}, [1, 1, 1]),
        ("c", "a b c", {"order": "any"}, [1, 0, 0]),
        ("c@0 b@70 a@80", "a b c", {"order": "any", "window": "60s"}, [1, 1, 0]),
    ],
)  # fmt: skip
def test_one_session(hand: RowsInHand, told: str, steps: str, asked: dict[str, Any], reached: list[int]) -> None:
    hand.put(story(told))
    assert [line.reached for line in lines(hand, steps.split(), **asked)] == reached


def test_seq_tells_events_of_one_time_apart(hand: RowsInHand) -> None:
    hand.put([event("b", 0, seq=1), event("a", 0, seq=2), event("b", 0, "t", seq=2), event("a", 0, "t", seq=1)])
    assert [line.reached for line in lines(hand, ["a", "b"])] == [2, 1]


def test_who_is_in_no_session_is_not_counted(hand: RowsInHand) -> None:
    hand.put([event("a", 0, None, user_id="u"), event("b", 1, "s", user_id="u"), event("b", 2, "s")])
    assert [line.reached for line in lines(hand, ["a", "b"])] == [0, 0]
    assert [line.reached for line in lines(hand, ["a", "b"], per="user")] == [1, 1]


def test_steps_with_filters_and_a_breakdown(hand: RowsInHand) -> None:
    hand.put(
        event(what, second, session, page_path=page, utm_source=source)
        for session, source in (("s", "x"), ("t", None), ("u", "x"))
        for what, second, page in (("page_view", 0, "/"), ("page_view", 5, "/pricing"), ("form_submit", 9, "/"))
        if not (session == "u" and second == 5)
    )
    steps = ["page_view & page_path=/", "page_view & page_path=/pricing", "form_submit"]
    rows = hand.rows("funnel", steps=steps, by="utm_source", **ASKED)
    assert [(row["utm_source"], row["event"], row["reached"]) for row in rows] == [
        ("x", steps[0], 2), ("x", steps[1], 1), ("x", steps[2], 1), (None, steps[0], 1), (None, steps[1], 1),
        (None, steps[2], 1),
    ]  # fmt: skip
    assert [(row["of_previous"], row["of_first"], row["median_seconds"]) for row in rows[:3]] == [
        (None, 1.0, None), (0.5, 0.5, 5.0), (1.0, 0.5, 4.0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "asked",
    [
        {"steps": ["a"]},
        {"steps": ["a"] * 11},
        {"steps": ["a", "a"], "order": "any"},
        {"steps": ["a", "b"], "order": "upwards"},
        {"steps": ["a", "b"], "window": "soon"},
        {"steps": ["a", "b & nonsense=1"]},
    ],
)
def test_what_cannot_be_asked(hand: RowsInHand, asked: dict[str, Any]) -> None:
    hand.put([])
    with pytest.raises(PenstockError):
        hand.rows("funnel", **ASKED, **asked)


@pytest.mark.parametrize(
    ("dialect", "micros"), [("athena", "to_unixtime("), ("spark", "unix_micros("), ("snowflake", "epoch_microsecond")]
)
def test_the_words_of_other_engines(hand: RowsInHand, dialect: str, micros: str) -> None:
    hand.put([])
    sql = hand.ask("funnel", steps=["a", "b"], **ASKED).sql_for(dialect).lower()
    assert micros in sql and "materialized" not in sql and "epoch_us" not in sql


STEPS: dict[str, Step] = {
    "a": lambda event: event["event_type"] == "a",
    "b": lambda event: event["event_type"] == "b",
    "c": lambda event: event["event_type"] == "c",
    "a & page_path=/p": lambda event: event["event_type"] == "a" and event["page_path"] == "/p",
    "b & page_path!=": lambda event: event["event_type"] == "b" and event["page_path"] is not None,
}
WINDOWS = {"": None, "3s": timedelta(seconds=3), "10s": timedelta(seconds=10)}

# Few seconds, so that many events share one; the breakdown is the same for events that cannot be told apart.
EVENTS = st.lists(
    st.builds(
        lambda what, second, session, user, page, seq: event(
            what, second, session, user_id=user, page_path=page, seq=seq, utm_source=f"{second % 2}"
        ),
        st.sampled_from("abcx"),
        st.integers(0, 12),
        st.sampled_from(["s", "t", None]),
        st.sampled_from(["u", "v", None]),
        st.sampled_from(["/p", "/q", None]),
        st.none() | st.integers(0, 5),
    ),
    max_size=14,
)


@settings(max_examples=120)
@given(
    events=EVENTS,
    steps=st.lists(st.sampled_from(list(STEPS)), min_size=2, max_size=4),
    order=st.sampled_from(["ordered", "strict", "any"]),
    per=st.sampled_from(["session", "user"]),
    window=st.sampled_from(list(WINDOWS)),
    by=st.sampled_from([None, "utm_source"]),
)
def test_sql_equals_plain_python(
    hand: RowsInHand, events: Any, steps: list[str], order: str, per: str, window: str, by: str | None
) -> None:
    if order == "any":
        steps = list(dict.fromkeys([*steps, "a", "b"]))
    hand.put(events)
    found = lines(hand, steps, order=order, per=per, window=window, by=by)
    fits = [STEPS[step] for step in steps]
    expected = funnel(events, fits, order=order, per=per, window=WINDOWS[window], by=by)
    assert [line._replace(median_seconds=None) for line in found] == [
        line._replace(median_seconds=None) for line in expected
    ]
    assert [line.median_seconds for line in found] == pytest.approx([line.median_seconds for line in expected])
    assert all((line.of_previous or 0) <= 1 and (line.of_first or 0) <= 1 for line in found)


@given(
    events=EVENTS,
    steps=st.lists(st.sampled_from(list(STEPS)), min_size=2, max_size=4),
    window=st.sampled_from(list(WINDOWS)),
)
def test_no_choice_of_events_gets_further(events: Any, steps: list[str], window: str) -> None:
    """Of the reference itself: to take the soonest event each time loses nobody."""
    fits = [STEPS[step] for step in steps]
    furthest = [
        furthest_of_any_choice(moments, len(steps), WINDOWS[window])
        for moments in moments_by_key(events, fits).values()
    ]
    counts = [sum(level >= step for level in furthest) for step in range(1, len(steps) + 1)]
    assert [line.reached for line in funnel(events, fits, window=WINDOWS[window])] == counts
