"""analytics.js as it is written → as it is served: small, hashed, compressed; done once per process."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from functools import cache
from importlib import resources
from typing import NamedTuple

SLIM = "analytics.min.js"
"""Beside analytics.js where it is served without the package that makes it slim, as in a Lambda's zip."""
_TOKEN = re.compile(
    r"""'[^'\n]*'                              # a string
      | /[^\s/*][^/\n]*/[a-z]*(?=[.,)])        # a regular expression
      | \.\.\. | \.\w+ | \w+: | \b\d\w*        # spread, a property, a key, a number
      | \w+                                    # a name""",
    re.VERBOSE,
)
_DECLARED = re.compile(r"\blet (\w+)|\(([\w, ]+)\) =>|\b(\w+) =>|\[([\w, ]+)\]\) =>|\.\.\.(\w+)\)* =>")
_SHORTHAND = re.compile(r"\{ (\w+(?:, \w+)*)(?:, \w+: .*)? \}|^ +(\w+),$", re.MULTILINE)
_STATEMENT = re.compile(r"^(?=  [^ })\]])", re.MULTILINE)
_OUTER_NAMES = "zyxwvutsrqponmlkjABCDEFGHIJKLMNOPQRSTUVWXYZ"
_INNER_NAMES = "etnaiorsclduphmfgvbwykxjqz"


class Script(NamedTuple):
    """`digest` goes into the immutable URL, `integrity` into the tag."""

    body: bytes
    gzipped: bytes
    digest: str
    integrity: str


@cache
def script() -> Script:
    made = resources.files(__package__).joinpath(SLIM)
    body = made.read_bytes() if made.is_file() else slim(written()).encode()
    integrity = "sha384-" + base64.b64encode(hashlib.sha384(body).digest()).decode()
    return Script(body, gzip.compress(body, 9, mtime=0), hashlib.sha256(body).hexdigest()[:16], integrity)


def written() -> str:
    return resources.files(__package__).joinpath("analytics.js").read_text(encoding="utf-8")


def slim(text: str) -> str:
    """The same program without comments and blanks, its own names short.

    Not for any JavaScript: it relies on how analytics.js is laid out (two blanks per level, `let`, single quotes).
    """
    import rjsmin

    text = "".join(line for line in text.splitlines(keepends=True) if not line.lstrip().startswith("//"))
    kept = _names(_SHORTHAND, text)
    outer = [name for name in re.findall(r"^  let (\w+)", text, re.MULTILINE) if name not in kept]
    text = _rename(text, outer, _OUTER_NAMES)
    statements: list[str] = []
    for statement in _STATEMENT.split(text):
        own = _names(_DECLARED, statement) - kept
        short = _rename(statement, [name for name in own if len(name) > 1], _INNER_NAMES)
        if statements and short.startswith("  let ") and statements[-1].startswith(("  let ", "  ,")):
            statements[-1] = statements[-1].rstrip().removesuffix(";") + "\n"
            short = "  ," + short.removeprefix("  let ")
        statements.append(short)
    return _tighten(rjsmin.jsmin("".join(statements)))


def _names(pattern: re.Pattern[str], text: str) -> set[str]:
    found = [group for match in pattern.finditer(text) for group in match.groups("")]
    return set(re.findall(r"\w+", " ".join(found)))


def _rename(text: str, names: list[str], letters: str) -> str:
    """The most used name gets the first letter that is free in `text`; who finds none keeps its name."""
    tokens = _TOKEN.findall(text)
    free = [letter for letter in letters if letter not in tokens]
    order = sorted(set(names) & set(tokens), key=lambda name: (-tokens.count(name), name))
    short = dict(zip(order, free, strict=False))
    return _TOKEN.sub(lambda token: short.get(token[0], token[0]), text)


def _tighten(text: str) -> str:
    before = ""
    while before != text:
        before = text
        text = re.sub(r"(let [^;{}]*);let ", r"\1,", text)
    return re.sub(r"[,;]([}\])])", r"\1", text).replace("\n,", ",")
