"""The barest page view: `POST /v1/events?page=/post&time=…` with an empty body, from a page without our script.

It has no route of its own; an event of it needs no session.
"""

from __future__ import annotations

from . import Dialect
from .events import PATHS

DIALECT = Dialect(name="beacon", paths=PATHS)
