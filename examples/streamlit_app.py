"""A dashboard of one's own: `streamlit run examples/streamlit_app.py`, over PENSTOCK_DATA or ./penstock-data.

What is typed as SQL runs as you, with your files: show this to nobody whom you would not give a shell.
"""

from __future__ import annotations

import altair as alt
import streamlit as st

import penstock
from penstock.api import OpenLake, SqlError

st.set_page_config(page_title="Penstock", layout="wide")


def metrics(lake: OpenLake, days: str, zone: str) -> None:
    """The numbers of the time, each with its change."""
    row = lake.report("overview", since=days, zone=zone, compare="previous").beside().to_pylist()[0]
    shown = {"visitors": "{:,}", "sessions": "{:,}", "views": "{:,}", "conversion_rate": "{:.1%}", "revenue": "{:,}"}
    for column, (name, spelled) in zip(st.columns(len(shown)), shown.items(), strict=True):
        value, change = row[name], row[f"{name}_change"]
        text = "–" if value is None else spelled.format(value)
        column.metric(name.replace("_", " "), text, None if change is None else f"{change:+.0%}")


def charts(lake: OpenLake, days: str, zone: str) -> None:
    events = lake.report("events", since=days, zone=zone, grain="day", by="event_type").df()
    events["bucket"] = events["bucket"].astype(str)
    bars = alt.Chart(events).mark_bar().encode(x="bucket:O", y="sum(events):Q", color="event_type:N")
    st.subheader("Events by day")
    st.altair_chart(bars)
    left, right = st.columns(2)
    left.subheader("Pages")
    left.dataframe(lake.report("top_pages", since=days, zone=zone).df(), hide_index=True)
    right.subheader("Sources")
    right.dataframe(lake.report("sources", since=days, zone=zone).df(), hide_index=True)


def playground(lake: OpenLake) -> None:
    st.subheader("SQL")
    query = st.text_area("over events, sessions, quarantine, ledger and the rollups", "select * from events limit 100")
    try:
        st.dataframe(lake.sql(query).df(), hide_index=True)
    except SqlError as error:
        st.error(str(error))


with st.sidebar:
    days = st.selectbox("Time", ["7d", "24h", "30d", "12w", "12mo"])
    zone = st.text_input("Time zone", "UTC")

with penstock.open() as lake:
    metrics(lake, days, zone)
    charts(lake, days, zone)
    playground(lake)
