"""Page views → what a reader does on each: how far and how long they read, and whether they click and fill the form."""

from __future__ import annotations

import numpy as np

from .arrays import Array, Columns

TYPES = (
    "page_view", "experiment_view", "scroll_depth", "time_on_page", "download", "exit_intent", "cta_click",
    "form_start", "form_submit",
)  # fmt: skip
(
    PAGE_VIEW, EXPERIMENT_VIEW, SCROLL_DEPTH, TIME_ON_PAGE, DOWNLOAD, EXIT_INTENT, CTA_CLICK, FORM_START, FORM_SUBMIT,
) = range(9)  # fmt: skip
SECONDS = (30, 60, 180, 300)
_TURN_MS = 1000


def events(rng: np.random.Generator, *, of: Array, nth: Array, assigned: Array, tempted: Array) -> Columns:
    """Columns view, type, detail and offset (since the session began), from the views' session `of`, its `nth`.

    `assigned`: the view at which an experiment begins; `tempted`: the probability of a click on the call to action.
    """
    count = len(of)
    stays = (np.clip(rng.lognormal(3.3, 1.1, count), 2, 600) * 1000).astype(np.int64)
    begins = _begins(nth, stays + _TURN_MS)
    depth = rng.choice(5, count, p=(0.25, 0.2, 0.2, 0.15, 0.2))
    clicks = rng.random(count) < tempted
    starts = clicks & (rng.random(count) < 0.6)
    submits = starts & (rng.random(count) < 0.5)
    everybody = np.ones(count, bool)
    happens = [
        (PAGE_VIEW, 0, everybody, 0 * stays),
        (EXPERIMENT_VIEW, 0, assigned, 0 * stays + 50),
        *((SCROLL_DEPTH, step, depth >= step, stays * step // 5) for step in range(1, 5)),
        *((TIME_ON_PAGE, n, stays >= s * 1000, 0 * stays + s * 1000) for n, s in enumerate(SECONDS)),
        (DOWNLOAD, 0, rng.random(count) < 0.04, stays * 70 // 100),
        (CTA_CLICK, 0, clicks, stays * 82 // 100),
        (FORM_START, 0, starts, stays * 86 // 100),
        (FORM_SUBMIT, 0, submits, stays * 90 // 100),
        (EXIT_INTENT, 0, rng.random(count) < 0.08, stays * 95 // 100),
    ]
    views = [np.flatnonzero(mask) for _, _, mask, _ in happens]
    sizes = [len(found) for found in views]
    return {
        "view": np.concatenate(views),
        "type": np.repeat([kind for kind, _, _, _ in happens], sizes),
        "detail": np.repeat([detail for _, detail, _, _ in happens], sizes),
        "offset": np.concatenate([(begins + after)[v] for v, (_, _, _, after) in zip(views, happens, strict=True)]),
    }


def _begins(nth: Array, durations: Array) -> Array:
    """When each view begins: after those before it in its session."""
    before = np.cumsum(durations) - durations
    begins: Array = before - before[np.arange(len(nth)) - nth]
    return begins
