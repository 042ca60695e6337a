"""The charts of the list: rows per day by outcome and the share of failed rows, as shapes for an SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from include.adapters.database.page_imports import Day
from include.models import OUTCOMES

WIDTH, HEIGHT = 600, 120
FEW_DAYS = 7


@dataclass(frozen=True)
class Bar:
    """One outcome of one day, in the units of the SVG."""

    outcome: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Column:
    """One day: its bars, its label, and whether a new kind of failure occurred on it."""

    label: str
    x: float
    width: float
    bars: Sequence[Bar]
    has_new_kinds: bool
    day: Day | None


@dataclass(frozen=True)
class Chart:
    """The last days of one feed.

    points  the shares of failed rows; `line` joins them
    most    the records of the busiest day
    """

    feed: str
    columns: Sequence[Column]
    line: str
    points: Sequence[tuple[float, float]]
    most: int
    first: date
    last: date
    read: int
    failed: int


def charts(days: Sequence[Day], last: date, number_of_days: int, most_feeds: int = 6) -> list[Chart]:
    """Draw a chart for each feed that had records, the busiest first."""
    first = min((day.day for day in days), default=last)
    if (last - first).days < FEW_DAYS:
        number_of_days = FEW_DAYS  # bars of one day would be thin lines at the edge of an empty month
    drawn = [
        chart(feed, list(of_feed), last, number_of_days) for feed, of_feed in groupby(days, key=lambda day: day.feed)
    ]
    return sorted((each for each in drawn if each.read), key=lambda each: -each.read)[:most_feeds]


def chart(feed: str, days: Sequence[Day], last: date, number_of_days: int) -> Chart:
    """Draw the chart of one feed, also of one without records."""
    by_date = {day.day: day for day in days}
    most = max([1, *(day.read for day in days)])
    step = WIDTH / number_of_days
    dates = [last - timedelta(days=number_of_days - 1 - n) for n in range(number_of_days)]
    columns = [_column(n * step, step, date_, by_date.get(date_), most) for n, date_ in enumerate(dates)]
    points = [
        (round(column.x + step / 2, 1), round(HEIGHT - HEIGHT * column.day.failed / column.day.read, 1))
        for column in columns
        if column.day and column.day.read
    ]
    read, failed = sum(day.read for day in days), sum(day.failed for day in days)
    line = " ".join(f"{x},{y}" for x, y in points)
    return Chart(feed, columns, line, points, most, dates[0], last, read, failed)


def _column(x: float, step: float, date_: date, day: Day | None, most: int) -> Column:
    bars: list[Bar] = []
    top = float(HEIGHT)
    for outcome in OUTCOMES if day else ():
        height = HEIGHT * getattr(day, outcome) / most
        top -= height
        if height:
            bars.append(Bar(outcome, round(x + step * 0.12, 2), round(top, 2), round(step * 0.76, 2), round(height, 2)))
    return Column(_label(date_, day), round(x, 2), round(step, 2), bars, bool(day and day.new_failures), day)


def _label(date_: date, day: Day | None) -> str:
    if day is None or not day.read:
        return f"{date_}: no rows"
    counts = ", ".join(f"{getattr(day, name):,} {name}" for name in OUTCOMES if getattr(day, name))
    return f"{date_}: {day.read:,} rows, {counts} ({day.failed / day.read:.1%} failed)"
