"""What programs are told of the JSON twins is what they get."""

from __future__ import annotations

import pytest

from penstock.dashboard.openapi import document
from penstock.dashboard.pages import PAGES
from penstock.settings import Settings
from site_in_hand import HERE, visit

TOLD = document(PAGES)
TWINS = {path: told for path, told in TOLD["paths"].items() if not path.startswith("/api/sql")}
REF = {"$ref": "#/components/schemas/Twin"}
FACTS = (
    {"now", "feed"},
    {
        "at", "worker", "collector", "stream", "bronze", "silver", "gold", "books", "quarantine", "tables", "disk",
        "alerts", "alert_history", "versions",
    },
)  # fmt: skip
"""Of realtime and status."""


def test_every_page_with_answers_is_described() -> None:
    assert set(TWINS) == {f"/api/{page.name}.json" for page in PAGES if page.has_twin}
    assert "/api/overview.json" in TOLD["paths"]


@pytest.mark.parametrize("path", TWINS)
def test_a_twin_is_as_described(settings: Settings, path: str) -> None:
    schemas = TOLD["components"]["schemas"]
    with visit(settings) as client:
        assert client.get("/api/openapi.json").json() == TOLD
        told = client.get(path, params={"period": "7d", "device": "mobile"}).json()
    if TOLD["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"] != REF:
        assert set(told) in FACTS
        return
    assert set(told) == set(schemas["Twin"]["required"])
    for card in told["cards"].values():
        assert set(card) <= set(schemas["Card"]["properties"])
    assert told["cards"]


def test_each_parameter_has_a_meaning() -> None:
    for path in TWINS.values():
        names = [each["name"] for each in path["get"]["parameters"]]
        assert len(set(names)) == len(names)
        assert all(each["description"] for each in path["get"]["parameters"])


@pytest.mark.parametrize(
    ("sql", "status"), [("select 1 as n", "200"), ("select nothing", "400"), ("delete from events", "400")]
)
def test_sql_is_as_described(settings: Settings, sql: str, status: str) -> None:
    with visit(settings) as client:
        answers = [
            (TOLD["paths"]["/api/sql"]["post"], client.post("/api/sql", json={"sql": sql}, headers={"origin": HERE})),
            (TOLD["paths"]["/api/sql.json"]["get"], client.get("/api/sql.json", params={"q": sql})),
        ]
    for told, answer in answers:
        assert str(answer.status_code) == status in told["responses"]
        name = told["responses"][status]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        schema = TOLD["components"]["schemas"][name]
        assert set(schema["required"]) <= set(answer.json()) <= set(schema["properties"])
