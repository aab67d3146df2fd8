"""`capacity`: what to run for so many events a day, from measured rates."""

from __future__ import annotations

from typing import Annotated

import typer

from ..advise import PEAK
from ..capacity import VOLUMES, Capacity
from ..capacity import capacity as compute
from ..cost import Bill
from ..month import UNITS, Units
from ..settings import load
from .advise import own_prices
from .options import As, Config, OwnPrices
from .output import Format, note, rows


def add_to(app: typer.Typer) -> None:
    app.command()(capacity)


def capacity(
    events: Annotated[
        list[float] | None,
        typer.Option("--events", min=1, help="A day; may be repeated. Default 100,000 to 10,000 million."),
    ] = None,
    event_bytes: Annotated[float, typer.Option(min=1, help="Of one event.")] = UNITS.record_bytes,
    per_request: Annotated[float, typer.Option(min=1, help="Events that share one.")] = UNITS.events_a_request,
    peak: Annotated[float, typer.Option(min=1, help="Times the mean, in the busiest minute.")] = PEAK,
    price: OwnPrices = None,
    format: As = Format.table,
    config: Config = None,
) -> None:
    """What to run for so many events a day, and what it costs a month: computed from measured rates."""
    bill = Bill(own_prices(load(config), price))
    found = [
        compute(volume, bill, units=_units(event_bytes, per_request), peak_times=peak) for volume in events or VOLUMES
    ]
    heads = ("a_day", *(f"{each.events_a_day / 1e6:g}M" for each in found))
    names = Capacity._fields[1:]
    rows(heads, [(name, *(_shown(getattr(each, name)) for each in found)) for name in names], format)
    if format is Format.table:
        note(
            "computed from what two cores did, doubled; beyond one machine nothing of it was tried. Dollars a month,"
            " list prices of us-east-1; what one month brings kept."
        )


def _units(event_bytes: float, per_request: float) -> Units:
    """What is kept of larger events is larger in the same measure."""
    times = event_bytes / UNITS.record_bytes
    return UNITS._replace(
        record_bytes=event_bytes,
        events_a_request=per_request,
        bronze_bytes=UNITS.bronze_bytes * times,
        silver_bytes=UNITS.silver_bytes * times,
    )


def _shown(value: float | str) -> float | str:
    """Three digits say as much as is known; less than a hundredth shows as one."""
    if isinstance(value, str | int):
        return value
    if value < 1:
        return max(0.01, round(value, 2))
    return float(f"{value:.3g}") if value < 100 else round(value)
