"""`advise`: whether the queue should be a stream, or the stream a queue, and what both cost a month."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from .. import adapters
from .. import stream as port
from ..advise import Advice, Load
from ..advise import advise as judge
from ..cost import PRICES, Bill, Price, prices
from ..errors import SettingsError
from ..settings import Settings
from ..settings import load as load_settings
from .options import As, Config, OwnPrices
from .output import Format, note, rows, say

_EVENT_BYTES = 600


def add_to(app: typer.Typer) -> None:
    app.command()(advise)


def advise(
    stream: Annotated[
        str | None,
        typer.Option("--stream", help="sqs://NAME or kinesis://NAME.", show_default="as the settings say"),
    ] = None,
    events_per_month: Annotated[
        float | None, typer.Option("--events-per-month", min=1, help="Instead of what was measured in the last day.")
    ] = None,
    event_bytes: Annotated[
        float | None,
        typer.Option("--event-bytes", min=1, help="Mean size of an event.", show_default="measured, or 600"),
    ] = None,
    together: Annotated[
        float, typer.Option("--together", min=1, help="How many events share a message, with --events-per-month.")
    ] = 1,
    price: OwnPrices = None,
    format: As = Format.table,
    config: Config = None,
) -> None:
    """Look at a queue or stream on AWS: what waits, what SQS and Kinesis cost at this rate, and whether to move."""
    settings = load_settings(config)
    url = stream or settings.stream_url
    load = _measured(url, given=events_per_month is not None)
    size = event_bytes or (load.record_bytes or _EVENT_BYTES * together) / together
    if events_per_month is not None:
        load = load._replace(records_a_month=events_per_month / together, record_bytes=size * together)
    if load.records_a_month is None:
        raise SettingsError("nobody tells how much comes", hint="give --events-per-month")
    load = load._replace(record_bytes=load.record_bytes or size)
    own = own_prices(settings, price)
    advice = judge(load, Bill(own))
    _show(load, advice, format)
    dates = sorted({own[charge.item].as_of for option in advice.options for charge in option.charges})
    note(f"list prices of us-east-1 as of {', '.join(dates)}, without what is free; look before you rely on them")


def _measured(url: str, *, given: bool) -> Load:
    adapter = adapters.load(port, url)
    if hasattr(adapter, "measure"):
        found: Load = adapter.measure(url)
        return found
    if not given:
        raise SettingsError(
            f"{url} is not on AWS", hint="--stream sqs://NAME; or --events-per-month, to compare prices"
        )
    return Load(url.split(":", 1)[0])


def own_prices(settings: Settings, told: list[str] | None) -> Mapping[str, Price]:
    """The list with the prices of the settings in it, and those of --price: `item=dollars`. Raises SettingsError."""
    found = dict(settings.prices)
    for each in told or ():
        item, _, value = each.partition("=")
        try:
            found[item] = float(value)
        except ValueError:
            raise SettingsError(
                f"--price {each!r} is no price", hint="write item=dollars, as sqs_request=0.5"
            ) from None
    return prices(found)


def _show(load: Load, advice: Advice, format: Format) -> None:
    rows(
        ("stream", "usd_per_month", "charged_for", "advised"),
        [
            (
                option.name,
                round(option.usd, 2),
                ", ".join(f"{charge.quantity:,.0f} {PRICES[charge.item].unit}" for charge in option.charges),
                option.name == advice.best,
            )
            for option in advice.options
        ],
        format,
    )
    tell = say if format is Format.table else note
    things = {"sqs": "messages", "kinesis": "records"}.get(load.kind, "messages or records")
    tell(f"{load.records_a_month or 0:,.0f} {things} a month of {load.record_bytes or 0:,.0f} bytes{_now(load)}")
    tell(advice.verdict)
    for reason in advice.reasons:
        tell(f"  {reason}")


def _now(load: Load) -> str:
    waits = "" if load.waiting is None else f"; {load.waiting:,} wait"
    age = "" if load.oldest_seconds is None else f"; the oldest {load.oldest_seconds:,.0f} s"
    shards = "" if load.shards is None else f"; {load.shards} open shards{', on demand' if load.on_demand else ''}"
    return waits + age + shards
