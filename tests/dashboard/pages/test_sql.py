"""The SQL page: what it answers is what the lake says, to the owner alone, and shows nothing but text."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Collection
from decimal import Decimal
from typing import Any

import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

import penstock
from dashboard_in_hand import PASSWORD, cheap
from penstock.dashboard.access.tokens import new_share, new_token
from penstock.dashboard.pages.sql import LONG, cell, problem
from penstock.dashboard.recipes import BY_NAME, RECIPES
from penstock.dashboard.saved import Saved, SavedQuery
from penstock.errors import QueryError
from penstock.settings import Settings, load
from site_in_hand import HOSTILE, NOW, SCRIPT, Seen, visit

ELSEWHERE = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
COUNT = "select event_type, count(*) as n from events group by 1 order by 1"
WHOLE = {"since": "2026-10-01", "until": "2026-11-30", "zone": "UTC"}
Rows = list[dict[str, Any]]


def seen(client: TestClient, **query: str) -> Seen:
    return Seen(client.get("/sql", params=query).text)


def answer(client: TestClient, sql: str) -> Any:
    found = client.post("/api/sql", json={"sql": sql})
    assert found.status_code == 200, found.text
    return found.json()


# the page


def test_without_a_query_there_is_an_editor_and_nothing_ran(client: TestClient) -> None:
    page = seen(client)
    assert len(page.all("textarea")) == 1
    assert not page.all("table")
    assert {link for link in page.links if "recipe=" in link} == {f"/sql?recipe={each.name}" for each in RECIPES}


def test_a_query_is_answered_and_kept(client: TestClient) -> None:
    page = seen(client, q=COUNT)
    rows = answer(client, COUNT)["rows"]
    assert COUNT in page.texts
    for event_type, count in rows:
        assert page.texts[page.texts.index(event_type, page.texts.index("Parquet")) + 1]
        assert str(count) in page.texts
    assert f"{len(rows)} rows" in page.texts
    assert any(" ms · " in text and "file" in text for text in page.texts)


def test_the_same_by_post(client: TestClient) -> None:
    found = client.post("/sql", data={"q": COUNT})
    assert found.status_code == 200
    assert "page_view" in Seen(found.text).texts


@pytest.mark.parametrize(
    ("sql", "line", "column", "excerpt"),
    [
        ("select 1,\n  foo\nfrom events", 2, 3, "  foo\n  "),
        ("select 'é', foo from events", 1, 13, "select 'é', foo from events\n            "),
        ("select 1 from\n  read_csv('/etc/passwd')", 2, 3, "  read_csv('/etc/passwd')\n  "),
    ],
)
def test_an_error_says_where_it_is(client: TestClient, sql: str, line: int, column: int, excerpt: str) -> None:
    found = client.get("/sql", params={"q": sql})
    page = Seen(found.text)
    assert found.status_code == 400
    assert f"Line {line}, column {column}" in page.texts
    assert f">{excerpt}<b" in found.text.replace("&#39;", "'")
    assert sql in [text.removeprefix("\n") for text in page.texts]


@pytest.mark.parametrize(("sql", "hint"), [("describe events", "beside the editor"), ("pivot events on a", "group by")])
def test_what_cannot_be_run_has_a_hint(client: TestClient, sql: str, hint: str) -> None:
    assert hint in client.get("/sql", params={"q": sql}).text


def test_a_link_from_elsewhere_runs_nothing(client: TestClient) -> None:
    for path in ("/sql", "/sql/export.csv"):
        page = Seen(client.get(path, params={"q": COUNT}, headers=ELSEWHERE).text)
        assert COUNT in page.texts
        assert not page.all("table")
    assert client.get("/api/sql.json", params={"q": COUNT}, headers=ELSEWHERE).status_code == 403
    assert client.post("/sql", data={"q": COUNT}, headers=ELSEWHERE).status_code == 403


def test_hostile_values_are_text(client: TestClient) -> None:
    page = seen(client, q=f"select utm_source as \"{SCRIPT}\", utm_source from events where event_id like 'hostile%'")
    assert not page.all("img")
    assert all(attributes.get("src") for attributes in page.all("script"))
    assert not [attributes for _, attributes in page.elements if "style" in attributes]
    assert {text.lower() for text in page.texts}.issuperset(text.lower() for text in HOSTILE)


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_queries_are_text(client: TestClient, value: str) -> None:
    page = seen(client, q=value, chart=value, sort=value, saved=value, recipe=value)
    assert not page.all("img")
    assert all(attributes.get("src") for attributes in page.all("script"))


def test_sorted_by_any_column(client: TestClient) -> None:
    def first(sort: str) -> str:
        page = seen(client, q="select n, -n as m from range(2000) t(n)", sort=sort, chart="none")
        return page.texts[page.texts.index("m") + 1]

    assert [first(sort) for sort in ("0", "-0", "1", "77", "x")] == ["1999", "0", "0", "0", "0"]


def test_the_first_thousand_are_shown(client: TestClient) -> None:
    page = seen(client, q="select n from range(20000) t(n)", rows="more")
    assert len(page.all("tr")) == 1001
    assert "truncated" in page.texts
    assert "10,000 rows" in page.texts


def test_the_chart_fits_and_can_be_switched(client: TestClient) -> None:
    sql = "select channel, device, count(*) as n from sessions group by all"
    by_day = "select day, count(*) as n from sessions group by 1"
    assert not seen(client, q=sql).all("svg")
    assert [svg["class"] for svg in seen(client, q=by_day).all("svg") if "area" in svg["class"]]
    assert not seen(client, q=by_day, chart="none").all("svg")


def test_a_long_query_is_in_no_address(client: TestClient) -> None:
    sql = f"select 1 as one -- {'x' * LONG}"
    page = Seen(client.post("/sql", data={"q": sql}).text)
    assert next(form for form in page.all("form") if form.get("id") == "again")["method"] == "post"
    assert client.post("/sql/export.csv", data={"q": sql}).text.splitlines()[1].strip('"') == "1"


def test_tables_are_as_they_are_described(client: TestClient) -> None:
    page = Seen(client.get("/sql/tables").text)
    names = [each["data-table"] for each in page.all("details") if "data-table" in each]
    assert names[:2] == ["events", "sessions"]
    for nth, name in enumerate(names):
        start = page.texts.index(name)
        end = page.texts.index(names[nth + 1], start + 1) if nth + 1 < len(names) else None
        told = page.texts[start + 3 : end]
        columns = answer(client, f"select * from {name} limit 0")["columns"]
        assert told[: 2 * len(columns) : 2] == columns
    assert "page_view" in json.loads(next(each for each in page.all("section") if "data-values" in each)["data-values"])


@pytest.mark.parametrize(
    ("value", "text", "whole"),
    [
        (None, None, ""),
        (True, "true", ""),
        (0.25, "0.25", ""),
        (1 / 3, "0.3333", repr(1 / 3)),
        (1234567.5, "1234567.5", ""),
        (1e-9 / 3, "3.333e-10", repr(1e-9 / 3)),
        (12, "12", ""),
        ({"a": [1]}, '{"a":[1]}', ""),
        ("x" * 300, "x" * 200 + "…", "x" * 300),
    ],
)
def test_cells(value: Any, text: str | None, whole: str) -> None:
    assert cell(value) == (text, whole)


def test_the_excerpt_of_a_long_line_is_around_the_error() -> None:
    sql = "select " + "a, " * 200 + "foo from events"
    found = problem(QueryError(400, "x", "no foo", line=1, column=sql.index("foo") + 1), sql)
    assert found.excerpt[len(found.before) :].startswith("foo from")
    assert len(found.excerpt) <= 120


LONG_ANSWER = """select timestamptz '2024-01-01' + n * interval 1 hour as hour, n * 7919 % 997 as a,
  n * 104729 % 89 as b from range(2000) t(n)"""


@pytest.mark.parametrize("asked", [{"recipe": "sources"}, {"q": LONG_ANSWER}, {"q": LONG_ANSWER, "chart": "line"}])
def test_the_page_is_light(client: TestClient, asked: dict[str, str]) -> None:
    html = client.get("/sql", params=asked).text
    page = Seen(html)
    styles = [each["href"] for each in page.all("link") if each.get("rel") == "stylesheet"]
    scripts = [each["src"] for each in page.all("script")]
    parts = [html, *(client.get(address).text for address in (*styles, *scripts))]
    assert sum(len(gzip.compress(part.encode(), 5)) for part in parts) <= 20 * 1024
    assert (LONG_ANSWER in asked.values()) == ('class="chart area"' in html)


def test_more_rows_of_an_answer(client: TestClient) -> None:
    sql = "select n from range(3000) t(n)"
    first = client.get("/sql", params={"q": sql}).text
    assert first.count("<tr>") == 101 and "Show 1,000" in Seen(first).texts
    more = client.get("/sql", params={"q": sql, "rows": "more", "sort": "-0"}).text
    assert more.count("<tr>") == 1001 and "Show 1,000" not in Seen(more).texts
    assert "Show 150" in Seen(client.get("/sql", params={"q": "select n from range(150) t(n)"}).text).texts
    assert client.get("/sql", params={"q": "select n from range(100) t(n)"}).text.count("<tr>") == 101


# files and programs


def test_files_hold_all_rows(client: TestClient) -> None:
    sql = "select n, n / 2 as half, 'a,\"b' as t from range(25000) t(n)"
    got = {kind: client.get(f"/sql/export.{kind}", params={"q": sql}) for kind in ("csv", "json", "parquet")}
    assert all("attachment" in each.headers["content-disposition"] for each in got.values())
    lines = list(csv.DictReader(io.StringIO(got["csv"].text)))
    packed = pq.read_table(io.BytesIO(got["parquet"].content)).to_pylist()
    assert got["json"].json() == packed
    assert len(lines) == len(packed) == 25000
    assert lines[7] == {"n": "7", "half": "3.5", "t": 'a,"b'}


def test_a_file_of_a_wrong_query_is_the_page(client: TestClient) -> None:
    found = client.get("/sql/export.parquet", params={"q": "select nothing from events"})
    assert found.status_code == 400
    assert "select nothing from events" in Seen(found.text).texts


def test_programs(client: TestClient) -> None:
    told = answer(client, "select 1 as a, 'x' as b, null as c")
    assert {key: told[key] for key in ("columns", "rows", "truncated")} == {
        "columns": ["a", "b", "c"], "rows": [[1, "x", None]], "truncated": False,
    }  # fmt: skip
    assert client.get("/api/sql.json", params={"q": "select 1 as a"}).json()["rows"] == [[1]]
    wrong = client.post("/api/sql", json={"sql": "select\nfoo"})
    assert (wrong.status_code, wrong.json()["line"], wrong.json()["column"]) == (400, 2, 1)
    assert client.post("/api/sql", json=[1]).status_code == 400
    assert client.post("/api/sql", json={"sql": 5}).json()["error"] == "empty"


# who


def test_tokens_may_read_and_shares_may_not(settings: Settings) -> None:
    locked = load(data=settings.data, dashboard={"password": cheap(PASSWORD)})
    saved = Saved(settings.saved_path)
    bearer = {"authorization": f"Bearer {new_token(saved, 'reader', 'read', NOW)}"}
    share = f"/share/{new_share(saved, {'name': 'x', 'page': 'overview', 'days': '1'}, NOW)}"
    pinned = saved.add(SavedQuery, {"name": "For me alone", "sql": "select 1", "pinned": True})
    try:
        with visit(locked) as client:
            client.follow_redirects = False
            assert client.get("/api/sql.json?q=select+1", headers=bearer).json()["rows"] == [[1]]
            assert client.post("/api/sql", json={"sql": "select 1"}, headers=bearer).status_code == 403
            assert client.post("/api/sql", json={"sql": "select 1"}).status_code == 401
            for path in ("/sql", "/sql/tables", "/sql/export.csv?q=select+1"):
                assert client.get(path).status_code == 303
                assert client.get(share + path).status_code == 403
            assert client.get(share + "/api/sql.json?q=select+1").status_code == 403
            shown = client.get(share)
            assert shown.status_code == 200
            assert pinned.name not in shown.text
    finally:
        saved.delete(SavedQuery, pinned.id)
        saved.close()


# where there is none


def test_a_playground_that_is_off_says_why(settings: Settings) -> None:
    off = load(data=settings.data, dashboard={"sql": "off"})
    with visit(off) as client:
        page = Seen(client.get("/sql", params={"q": COUNT}).text)
        assert any("switch the SQL playground off" in text for text in page.texts)
        assert not page.all("textarea")
        assert client.get("/api/sql.json", params={"q": COUNT}).status_code == 403


# saved queries


def test_saved_opened_pinned_and_deleted(settings: Settings) -> None:
    told = {"name": f"Counts {SCRIPT}", "description": "how many", "sql": COUNT, "pinned": "true", "back": "/sql"}
    here = {"origin": "http://127.0.0.1:8788"}
    with visit(settings) as client:
        assert client.post("/saved/queries", data=told, headers=here).status_code == 200
        page = seen(client)
        link = next(link for link in page.links if link.startswith("/sql?saved="))
        assert COUNT in Seen(client.get(link).text).texts
        overview = settled(client)
        assert told["name"] in overview.texts
        assert link in overview.links
        assert not overview.all("img")
        id = link.rpartition("=")[2]
        client.post(f"/saved/queries/{id}", data={"pinned": "false", "back": "/sql"}, headers=here)
        assert told["name"] not in Seen(client.get("/").text).texts
        client.post(f"/saved/queries/{id}/delete", data={"back": "/sql"}, headers=here)
        assert link not in seen(client).links


def settled(client: TestClient) -> Seen:
    """The overview when nothing in it is late any more, as its script would ask for it."""
    while "data-late" in (text := client.get("/").text):
        pass
    return Seen(text)


def test_a_pinned_query_that_fails_is_alone(settings: Settings) -> None:
    saved = Saved(settings.saved_path)
    wrong = saved.add(SavedQuery, {"name": "Wrong", "sql": "select foo from events", "pinned": True})
    right = saved.add(SavedQuery, {"name": "Right", "sql": "select 4711 as answer", "pinned": True})
    try:
        with visit(settings) as client:
            overview = settled(client)
    finally:
        saved.delete(SavedQuery, wrong.id)
        saved.delete(SavedQuery, right.id)
        saved.close()
    assert "4711" in overview.texts
    assert any("foo" in text for text in overview.texts)
    assert "Visitors" in overview.texts


# recipes


def same(names: str) -> dict[str, str]:
    return {name: name for name in names.split()}


def picked(rows: Rows, columns: Collection[str]) -> Rows:
    return [{column: row[column] for column in columns} for row in rows]


EQUAL: dict[str, tuple[str, dict[str, Any], dict[str, str]]] = {
    "sources": ("sources", {}, {"name": "source", **same("sessions conversions conversion_rate")}),
    "events_hourly": ("events", {"grain": "hour", "by": "event_type"}, {"bucket": "hour", **same("event_type events")}),
    "pages_daily": ("pages_daily", {}, {"bucket": "day", **same("page_path views sessions")}),
    "traffic": ("traffic", {}, {"bucket": "day", **same("sessions views")}),
    "carts": ("cart_categories", {}, same("category adds")),
    "product_funnel": ("product_funnel", {}, {
        "product_id": "product_id", "sessions_viewed": "viewed", "sessions_added": "added",
        "sessions_purchased": "purchased", **same("view_to_cart cart_to_purchase view_to_purchase"),
    }),
    "revenue_hourly": ("revenue_hourly", {}, {"bucket": "hour", **same("purchases revenue")}),
    "top_products": ("top_products", {}, same("product_id views")),
    "categories": ("category_performance", {}, {"bucket": "day", **same("category event_type events revenue")}),
    "users_daily": ("users_daily", {}, {"bucket": "day", **same("users sessions events")}),
    "visitors": ("visitors_over_time", {"grain": "week"}, {"bucket": "week", "new": "new", "returning": "came_back"}),
}  # fmt: skip
"""Recipe → the report that answers the same, and what its columns are called there."""


def plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return round(value, 9) if isinstance(value, float) else value


def happened(rows: Rows) -> set[tuple[Any, ...]]:
    """Of the rows those that are no filled gaps."""
    found = {tuple(plain(value) for value in row.values()) for row in rows}
    return {row for row in found if any(isinstance(value, int | float) and value for value in row)}


def test_every_recipe_has_its_report() -> None:
    assert EQUAL.keys() == BY_NAME.keys()


@pytest.mark.parametrize("name", BY_NAME)
def test_a_recipe_answers_what_its_report_does(client: TestClient, settings: Settings, name: str) -> None:
    report, asked, words = EQUAL[name]
    with penstock.open(settings.data) as lake:
        lake.pipeline.clock = lambda: NOW
        expected = picked(lake.report(report, **WHOLE, **asked).rows(), words)
    packed = client.get("/sql/export.parquet", params={"q": BY_NAME[name].sql}).content
    found = pq.read_table(io.BytesIO(packed)).to_pylist()
    assert happened(picked(found, words.values())) == happened(expected)
    assert len(found) > 2
    assert client.get("/sql", params={"recipe": name}).status_code == 200
