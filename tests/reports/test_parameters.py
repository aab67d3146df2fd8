"""What a report may be told, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.errors import PenstockError
from penstock.reports.catalog import Report, read
from penstock.reports.parameters import given

from .conftest import COLUMNS, Silver

ALL_TYPES = """\
-- ---
-- title = "T"
-- question = "Q?"
-- example = "penstock report t"
-- grains = ["day"]
-- [parameters]
-- word = {type = "text", default = "", meaning = "a word"}
-- words = {type = "texts", default = [], most = 2, meaning = "words"}
-- count = {type = "integer", default = 3, least = 1, most = 9, meaning = "how many"}
-- share = {type = "number", default = 0.5, least = 0, meaning = "how much"}
-- flag = {type = "boolean", default = false, meaning = "whether"}
-- kind = {type = "choice", default = "a", choices = ["a", "b"], meaning = "which"}
-- of = {type = "column", default = "device", meaning = "of what"}
-- steps = {type = "steps", default = [], most = 3, meaning = "steps"}
-- [columns]
-- x = "x"
-- ---
select 1 as x
"""


@pytest.fixture
def report() -> Report:
    return read("t", ALL_TYPES)


def test_defaults(report: Report) -> None:
    found = given(report, {}, COLUMNS)
    assert found.bound == {"word": "", "words": [], "count": 3, "share": 0.5, "flag": False, "kind": "a"}
    assert found.rendered == {"count": 3, "share": 0.5, "flag": False, "kind": "a", "of": '"device"', "steps": []}


@pytest.mark.parametrize(
    ("values", "bound"),
    [
        ({"word": "it's"}, "it's"),
        ({"words": "one"}, ["one"]),
        ({"words": ["one", "two"]}, ["one", "two"]),
        ({"count": "7"}, 7),
        ({"share": "1"}, 1.0),
        ({"flag": "true"}, True),
        ({"flag": "FALSE"}, False),
        ({"kind": "b"}, "b"),
    ],
)
def test_values(report: Report, values: dict[str, Any], bound: Any) -> None:
    assert given(report, values, COLUMNS).bound[next(iter(values))] == bound


@pytest.mark.parametrize(
    "values",
    [
        {"nothing": "1"}, {"word": 5}, {"word": "a\0"}, {"word": "a" * 3000}, {"words": ["a", "b", "c"]},
        {"words": [1]}, {"count": "many"}, {"count": "1.5"}, {"count": 0}, {"count": 10}, {"count": "1; drop table x"},
        {"count": True},
        {"share": "much"}, {"share": -1}, {"share": "NaN"}, {"share": "Infinity"}, {"flag": "maybe"}, {"kind": "c"},
        {"of": "nothing"}, {"of": "device; drop"}, {"steps": ["a", "b", "c", "d"]}, {"steps": ["page_path=/a"]},
        {"steps": [""]}, {"steps": ["a & nothing=1"]},
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_in_words(report: Report, values: dict[str, Any]) -> None:
    with pytest.raises(PenstockError):
        given(report, values, COLUMNS)


def test_steps_are_conditions_with_bound_values(report: Report) -> None:
    found = given(report, {"steps": ["page_view & page_path=/a&b & utm_source=", "buy'"]}, COLUMNS)
    first, second = found.rendered["steps"]
    assert first.label == "page_view & page_path=/a&b & utm_source="
    assert set(found.bound) >= {"steps_0_event", "steps_1_event"}
    assert "/a&b" in found.bound.values()
    assert "buy'" not in second.sql + first.sql


def test_what_is_required_says_so() -> None:
    with pytest.raises(PenstockError, match="needs word: a word"):
        given(read("t", ALL_TYPES.replace('type = "text", default = ""', 'type = "text"')), {}, COLUMNS)


@pytest.mark.parametrize(
    "text", ["select 1", "-- ---\n-- title =\n-- ---\nselect 1", ALL_TYPES.replace('"boolean"', '"bool"')]
)
def test_a_file_that_is_no_report(text: str) -> None:
    with pytest.raises(ValueError, match=r"does not begin|nvalid|has type"):
        read("t", text)


@pytest.mark.parametrize(
    ("name", "asked", "sentence"),
    [
        ("nothing", {}, "there is no report 'nothing'"),
        ("top_pages", {"grain": "day"}, "has no grain"),
        ("events", {"grain": "minute"}, "has no grain"),
        ("sources", {"by": "device"}, "has no breakdown"),
        ("events", {"by": "nothing"}, "there is no column"),
        ("events", {"compare": "yesterday"}, "there is no comparison"),
        ("session", {}, "needs id"),
    ],
)
def test_questions_that_cannot_be(silver: Silver, name: str, asked: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PenstockError, match=sentence):
        silver.ask(name, **asked)
