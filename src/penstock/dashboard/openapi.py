"""The JSON twins of the pages, described for programs: OpenAPI 3.1, made of the pages themselves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import __version__
from .page import Page
from .times import CUSTOM, WORDS

_EVERYWHERE = {
    "period": "one of " + ", ".join([*WORDS, CUSTOM]),
    "from": "first day, as in 2026-02-01; with it the period is custom",
    "to": "last day, which is part of it",
    "compare": "previous, weekday, month or none",
    "grain": "hour, day, week or month",
    "segment": "name of saved filters",
}
_FILTERS = (
    "Any other parameter is a filter on the column of that name: `device=mobile`, `device!=mobile` (is not),"
    " `page_path*=/guides/` (contains), `page_path~=^/blog` (matches)."
)
_CARD = {
    "type": "object",
    "properties": {
        "report": {"type": "string"},
        "columns": {"type": "object", "additionalProperties": {"type": "string"}, "description": "name to meaning"},
        "rows": {"type": "array", "items": {"type": "object"}},
        "notes": {"type": "array", "items": {"type": "string"}},
        "served_from": {"type": "string", "description": "gold, silver or both; they say the same"},
        "error": {"type": "string", "description": "instead of all these, if it could not be answered"},
        "hint": {"type": "string"},
    },
}
_REF = {"$ref": "#/components/schemas/Twin"}
_FACTS = {"type": "object", "description": "what the page says, by name"}
_TWIN = {
    "type": "object",
    "required": ["period", "where", "notices", "cards"],
    "properties": {
        "period": {
            "type": "object",
            "properties": {
                "since": {"type": "string", "format": "date-time"},
                "until": {"type": "string", "format": "date-time"},
                "zone": {"type": "string"},
            },
        },
        "where": {"type": "array", "items": {"type": "string"}},
        "notices": {"type": "array", "items": {"type": "string"}, "description": "what was not understood"},
        "cards": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Card"}},
    },
}


_ROWS = {
    "type": "object",
    "required": ["columns", "types", "rows", "truncated", "milliseconds"],
    "properties": {
        "columns": {"type": "array", "items": {"type": "string"}},
        "types": {"type": "array", "items": {"type": "string"}, "description": "DuckDB's"},
        "rows": {"type": "array", "items": {"type": "array"}},
        "truncated": {"type": "boolean", "description": "there are more rows than these"},
        "milliseconds": {"type": "number"},
    },
}
_REFUSED = {
    "type": "object",
    "required": ["error", "detail"],
    "properties": {
        "error": {"type": "string", "description": "a code that stays"},
        "detail": {"type": "string"},
        "hint": {"type": "string"},
        "line": {"type": ["integer", "null"]},
        "column": {"type": ["integer", "null"]},
    },
}


def _answers(**of: str) -> dict[str, Any]:
    """Status → its answer, by the name of a schema."""
    return {
        status.removeprefix("_"): {
            "description": "The rows" if name == "Rows" else "Why not, and where in the query",
            "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}},
        }
        for status, name in of.items()
    }


_QUERY = {"type": "string", "maxLength": 20_000, "description": "one SELECT, in DuckDB's SQL, over the tables of /sql"}
_TOLD = _answers(_200="Rows", _400="Refused", _403="Refused", _408="Refused", _503="Refused")
_SQL = {
    "/api/sql": {
        "post": {
            "operationId": "ask_sql",
            "summary": "A query of one's own, for the owner",
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {"type": "object", "required": ["sql"], "properties": {"sql": _QUERY}}
                    }
                },
            },
            "responses": _TOLD,
        }
    },
    "/api/sql.json": {
        "get": {
            "operationId": "sql",
            "summary": "The same, also for programs with a token",
            "parameters": [
                {"name": "q", "in": "query", "required": True, "description": "the query", "schema": _QUERY}
            ],
            "responses": _TOLD,
        }
    },
}


def document(pages: Iterable[Page]) -> dict[str, Any]:
    """Every page that tells numbers."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Penstock dashboard", "version": __version__, "description": _FILTERS},
        "paths": {f"/api/{page.name}.json": {"get": _get(page)} for page in pages if page.has_twin} | _SQL,
        "components": {
            "schemas": {"Card": _CARD, "Twin": _TWIN, "Rows": _ROWS, "Refused": _REFUSED},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"token": []}],
    }


def _get(page: Page) -> dict[str, Any]:
    told = {**(_EVERYWHERE if page.takes_filters else {}), **page.own}
    if not page.compares:
        told.pop("compare", None)
    return {
        "operationId": page.name,
        "summary": page.title,
        "parameters": [
            {"name": name, "in": "query", "description": meaning, "schema": {"type": "string"}}
            for name, meaning in told.items()
        ],
        "responses": {
            "200": {
                "description": "What the page shows; a card that failed says why",
                "content": {"application/json": {"schema": _FACTS if page.facts else _REF}},
            },
            "401": {"description": "No token, or one that is unknown"},
            "403": {"description": "This token may not"},
        },
    }
