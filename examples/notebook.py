"""A marimo notebook, a funnel and retention: `marimo edit examples/notebook.py`; or run it as it is, for the tables."""

import marimo

app = marimo.App(width="medium")


@app.cell
def _():
    import marimo as mo

    import penstock

    lake = penstock.open()  # PENSTOCK_DATA, or ./penstock-data
    return lake, mo


@app.cell
def _(mo):
    since = mo.ui.dropdown(["7d", "30d", "12w", "12mo"], value="12w", label="Time")
    since
    return (since,)


@app.cell
def _(lake, mo, since):
    # Of the sessions that viewed a page, how many put something into the cart and bought it?
    steps = ["page_view", "add_to_cart", "purchase"]
    funnel = lake.report("funnel", since=since.value, steps=steps).pl()
    print(funnel)
    mo.vstack([mo.md("## Funnel"), funnel])
    return (funnel,)


@app.cell
def _(lake, mo, since):
    # One row for each week of first visits, one column for each week after it.
    cells = lake.report("retention", since=since.value, grain="week").pl()
    retention = cells.pivot("nth", index="cohort", values="share").sort("cohort")
    print(retention)
    mo.vstack([mo.md("## Retention"), retention])
    return (retention,)


@app.cell
def _(lake, mo):
    # Anything else is SQL.
    busiest = lake.sql("select page_path, count(*) as views from events group by all order by views desc limit 10").pl()
    mo.vstack([mo.md("## Busiest pages"), busiest])
    return (busiest,)


if __name__ == "__main__":
    app.run()
