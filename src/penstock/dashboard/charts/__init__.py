"""Charts: pure functions, numbers → SVG (where text has to wrap, HTML) as Markup, coloured by two of our style sheets.

Nothing here has a style attribute or a script. Sizes are percentages, so a chart is as wide as the place it is put in.
"""

from .area import area, legend
from .auto import Picked, auto
from .bars import Ranked, bars, ranked, share_bar
from .flow import Health, Stage, flow
from .formats import Delta, Unit, delta
from .funnel import Step, funnel
from .heat import Cell, Cohort, heat
from .interval import domain, interval
from .plot import Anomaly, Note, Plot, Rows, Series, rows, summary
from .spark import spark

__all__ = [
    "Anomaly",
    "Cell",
    "Cohort",
    "Delta",
    "Health",
    "Note",
    "Picked",
    "Plot",
    "Ranked",
    "Rows",
    "Series",
    "Stage",
    "Step",
    "Unit",
    "area",
    "auto",
    "bars",
    "delta",
    "domain",
    "flow",
    "funnel",
    "heat",
    "interval",
    "legend",
    "ranked",
    "rows",
    "share_bar",
    "spark",
    "summary",
]
