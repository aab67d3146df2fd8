"""Every page, in the order of the menu. One more: a module here with its `PAGE`, a template of its name, and a line."""

from ..page import Page
from . import overview, sql

PAGES: tuple[Page, ...] = (overview.PAGE, sql.PAGE)
