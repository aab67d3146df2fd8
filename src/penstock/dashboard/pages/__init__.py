"""Every page, in the order of the menu. One more: a module here with its `PAGE`, a template of its name, and a line."""

from ..page import Page
from . import events, experiments, funnels, overview, realtime, retention, saved, session, setup, sql, status

PAGES: tuple[Page, ...] = (
    overview.PAGE,
    realtime.PAGE,
    events.PAGE,
    session.PAGE,
    funnels.PAGE,
    retention.PAGE,
    experiments.PAGE,
    sql.PAGE,
    status.PAGE,
    setup.PAGE,
    saved.PAGE,
)
