"""What sqlglot alone carries over wrongly; that the engines then say the same is tested by asking them."""

from __future__ import annotations

import pytest

from penstock.errors import PenstockError
from penstock.reports.text import dialect_sql

CASES = [
    ("spark", "select date_trunc('day', date '2026-03-28') as d", "date_trunc('DAY', CAST('2026-03-28' AS DATE))"),
    (
        "spark",
        "select list(p order by a, b) as l from t",
        "transform(array_sort(COLLECT_LIST(struct(a, b, p AS value))), each -> each.value)",
    ),
    ("spark", "select day, count(*) as n, max(x) as x from t group by all", "GROUP BY 1"),
    (
        "spark",
        "select json_extract_string(p, ['$.a', '$.b']) as said from t",
        "ARRAY(GET_JSON_OBJECT(p, '$.a'), GET_JSON_OBJECT(p, '$.b'))",
    ),
    ("spark", "select arg_min(x, t) as x from t", "MIN_BY(x, t) FILTER(WHERE NOT x IS NULL)"),
    ("spark", "select arg_min(coalesce(x, ''), t) as x from t", "MIN_BY(COALESCE(x, ''), t)"),
    ("spark", "select try_cast(x as integer) as x from t", "TRY_CAST(ROUND(TRY_CAST(x AS DOUBLE)) AS INT)"),
    ("athena", "select contains(a, 'b') as c from t", "(strpos(a, 'b') > 0)"),
    ("athena", "select a // 2 as h from t", "(a / 2)"),
    ("athena", "select cast(a as timestamptz) as t from t", "AS TIMESTAMP(6) WITH TIME ZONE)"),
    ("athena", "select epoch_us(t) as us from t", "CAST((to_unixtime(t) * 1000000) AS BIGINT)"),
    ("athena", "select unnest(l) as one from t", "CROSS JOIN UNNEST(l) AS each_one(one)"),
    ("athena", "select day, count(*) as n from t group by all", "GROUP BY 1"),
]


@pytest.mark.parametrize(("dialect", "sql", "part"), CASES)
def test_rewritten(dialect: str, sql: str, part: str) -> None:
    found = " ".join(dialect_sql(sql, dialect).split()).replace("( ", "(").replace(" )", ")")
    assert part.lower() in found.lower(), found


def test_what_spark_would_answer_otherwise_is_refused() -> None:
    with pytest.raises(PenstockError, match="falling order"):
        dialect_sql("select list(p order by a desc) as l from t", "spark")


def test_tables_are_those_of_the_engine() -> None:
    places = {"silver.events": ("numbers", "events_1a2b")}
    assert '"numbers"."events_1a2b"' in dialect_sql("select 1 as n from silver.events", "athena", places)
