"""The one thing about a funnel that SQL does not say: which cannot be asked."""

from __future__ import annotations

import pyarrow as pa

from ...errors import PenstockError
from ..question import Question


def finish(table: pa.Table, question: Question) -> pa.Table:
    """Raises PenstockError for a repeated step in any order: one event would do both, and nobody could be lost."""
    asked = question.given.rendered
    labels = [step.label for step in asked["steps"]]
    if asked["order"] == "any" and len(set(labels)) < len(labels):
        raise PenstockError("in any order a step cannot be asked twice", hint="leave it out, or use order=ordered")
    return table
