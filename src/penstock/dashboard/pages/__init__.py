"""Every page, in the order of the menu. One more: a module here with its `PAGE`, a template of its name, and a line."""

from ..page import Page
from . import experiments, funnels, overview, retention

PAGES: tuple[Page, ...] = (overview.PAGE, funnels.PAGE, retention.PAGE, experiments.PAGE)
