"""`cost`: what the shapes on AWS cost a month at list price, for one's own number of events and one's own prices."""

from __future__ import annotations

from typing import Annotated

import typer

from ..cost import Bill, total
from ..errors import SettingsError
from ..month import UNITS, VOLUMES, shapes
from ..settings import load
from .advise import own_prices
from .options import As, Config, OwnPrices
from .output import Format, note, rows


def add_to(app: typer.Typer) -> None:
    app.command()(cost)


def cost(
    events: Annotated[
        list[float] | None,
        typer.Option("--events", min=1, help="A month; may be repeated. Default 1, 10, 100, 1,000 million."),
    ] = None,
    shape: Annotated[str | None, typer.Option("--shape", help="Show the items of shapes whose name has this.")] = None,
    price: OwnPrices = None,
    free_tier: Annotated[
        bool, typer.Option("--free-tier", help="Take off what an account has free each month.")
    ] = False,
    format: As = Format.table,
    config: Config = None,
) -> None:
    """What each shape on AWS costs a month at list price; with --shape, item by item."""
    own = own_prices(load(config), price)
    bill, volumes = Bill(own, free_tier=free_tier), events or list(VOLUMES)
    found = {volume: shapes(volume, bill) for volume in volumes}
    if shape is None:
        heads = ("shape", *(f"{volume / 1e6:g}M" for volume in volumes))
        names = list(found[volumes[0]])
        rows(heads, [(name, *(round(total(found[v][name]), 2) for v in volumes)) for name in names], format)
    else:
        lines = [
            (f"{volume / 1e6:g}M", name, charge.item, round(charge.quantity, 3), own[charge.item].unit,
             round(charge.usd, 2), own[charge.item].as_of, own[charge.item].source)
            for volume in volumes
            for name, charges in found[volume].items()
            if shape.lower() in name.lower()
            for charge in charges
        ]  # fmt: skip
        if not lines:
            raise SettingsError(
                f"no shape has {shape!r} in its name", hint=f"there are: {', '.join(found[volumes[0]])}"
            )
        rows(("events", "shape", "item", "quantity", "of", "usd", "as_of", "source"), lines, format)
    if format is Format.table:
        note(
            f"US dollars, list prices of us-east-1 taken second-hand in {own['s3_put'].as_of}; an event is"
            f" {UNITS.record_bytes:g} bytes in the stream, {UNITS.events_a_request:g} share a request. Not in it: data"
            " sent to the internet, logs, alarms. Look before you rely on it."
        )
