"""Scripts and styles as people write them → as browsers get them: no comments, no space that says nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import rjsmin

_STYLE = re.compile(
    r"""("[^"\n]*"|'[^'\n]*')              # a string stays as it is
      | /\*.*?\*/                          # a comment goes
      | ;?\s*(\})\s* | \s*([{;,])\s* | (:)[ ]+   # beside these no space is needed, and no semicolon before an end
      | (\s)\s*                            # the rest keeps what is apart apart""",
    re.VERBOSE | re.DOTALL,
)


def script(text: str) -> str:
    return str(rjsmin.jsmin(text))


def style(text: str) -> str:
    return _STYLE.sub(lambda found: found[found.lastindex] if found.lastindex else "", text).strip()


SHRINK: Mapping[str, Callable[[str], str]] = {"js": script, "css": style}
"""By the ending of a file's name."""
