"""Steps and goals as text: an event type and filters, from forms and addresses → for reports and for people. Pure."""

from __future__ import annotations

import re

from ..errors import PenstockError
from ..reports.filters import Op, parse

SCROLLED = "scroll_depth & properties.percent~^([5-9][0-9]|100)"
_PATH = re.compile(r"([^&:]+):(/.*)")
_SAID = {Op.equal: "is", Op.differs: "is not", Op.contains: "contains", Op.matches: "matches"}


def step(event: str, filters: str) -> str:
    """As reports write it: `page_view & page_path=/pricing`; from a form, which has two fields for it."""
    event, filters = event.strip(), filters.strip().strip("&").strip()
    return f"{event} & {filters}" if filters else event


def parts(step: str) -> tuple[str, str]:
    """And back."""
    event, _, filters = step.partition(" & ")
    return event.strip(), filters.strip()


def long(text: str) -> str:
    """`page_view:/pricing` is short for a view of that page."""
    found = _PATH.fullmatch(text)
    return step(found[1], f"page_path={found[2]}") if found else text


def named(text: str) -> str:
    """A step for people: `page_view /pricing`, `scroll_depth ≥ 50 %`."""
    if text == SCROLLED:
        return "scroll_depth ≥ 50 %"
    event, only = parts(text)
    return " ".join([event, *(_filter(one) for one in re.split(r"\s+&\s+", only) if one)])


def _filter(text: str) -> str:
    try:
        one = parse(text)
    except PenstockError:
        return text
    if one.column == "page_path" and one.op is Op.equal and one.value:
        return one.value
    return f"{one.column} {_SAID[one.op]} {one.value or 'nothing'}"
