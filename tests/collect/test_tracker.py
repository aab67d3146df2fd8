"""analytics.js as it is served: small, and the same program. That it works is tested in tests/tracker, in a browser."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from importlib import resources

import pytest

from penstock.collect.tracker import script, slim

BUDGET_BYTES = 2560


def test_size_is_within_the_budget() -> None:
    assert len(script().gzipped) <= BUDGET_BYTES
    assert gzip.decompress(script().gzipped) == script().body


def test_integrity_is_that_of_the_body() -> None:
    algorithm, _, value = script().integrity.partition("-")
    assert algorithm == "sha384"
    assert base64.b64decode(value) == hashlib.sha384(script().body).digest()


def test_served_is_one_program_without_comments() -> None:
    body = script().body.decode()
    assert body.startswith("(()=>{")
    assert body.endswith("})();")
    assert "//" not in body.replace("'//'", "")


def test_source_is_of_2020() -> None:
    """What came later is refused as a whole by an older browser: nothing would be counted there."""
    body = script().body.decode()
    assert re.findall(r"\?\?=|\|\|=|&&=|\.at\(|replaceAll|structuredClone|findLast|hasOwn\b|\.any\(", body) == []


def test_every_text_of_the_source_is_served() -> None:
    """Strings, field names and methods are what servers and pages see; only local names may change."""
    written = resources.files("penstock.collect").joinpath("analytics.js").read_text()
    code = "\n".join(line for line in written.splitlines() if not line.lstrip().startswith("//"))
    body = script().body.decode()
    words = {word for text in code.split("'")[1::2] for word in text.split() if word.isidentifier()}
    assert len(words) > 30
    assert [word for word in sorted(words) if word not in body] == []


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("send('text of count');", "'text of count'"),
        ("send(/^count-of/.test(count));", "/^count-of/.test("),
        ("send(page.count);", "page.count"),
        ("send({ count: count });", "{count:"),
        ("send({ count });", "{count}"),
        ("send([...count]);", "[..."),
    ],
)
def test_only_local_names_are_shortened(line: str, kept: str) -> None:
    text = f"(() => {{\n  let count = 1;\n  // a comment\n  {line}\n}})();\n"
    served = slim(text)
    assert kept in served
    assert "comment" not in served
    assert ("count=1" in served) == ("{ count }" in line)


def test_inner_names_do_not_hide_outer_ones() -> None:
    served = slim("(() => {\n  let first = 1;\n  let add = other => other + first;\n})();\n")
    assert served == "(()=>{let z=1,add=e=>e+z})();" or served == "(()=>{let z=1,y=e=>e+z})();"
