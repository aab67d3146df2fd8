"""Every page, in the order of the menu. A new one is a module here with its `PAGE`, a template of the same name, a line."""

from ..page import Page
from . import events, experiments, funnels, overview, realtime, retention, session, setup, sql, status

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
)
