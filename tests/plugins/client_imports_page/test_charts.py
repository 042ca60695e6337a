"""The charts of the list: of a feed's few days, too."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from include.adapters.database.page_imports import Day

TODAY = date(2026, 11, 26)


@pytest.fixture
def charts(airflow):
    from client_imports_page import charts

    return charts


def day(back, **counts):
    none = dict.fromkeys(("created", "updated", "unchanged", "duplicate", "failed"), 0)
    return Day("acme", TODAY - timedelta(days=back), **{**none, **counts}, new_failures=0)


def test_a_single_day_is_a_bar_of_a_week_with_a_point_for_its_share(charts):
    (chart,) = charts.charts([day(0, created=3, failed=1)], TODAY, 30)
    assert (len(chart.columns), chart.first, chart.last) == (7, TODAY - timedelta(days=6), TODAY)
    assert chart.points == [(557.1, 90.0)] and [bar.outcome for bar in chart.columns[-1].bars] == ["created", "failed"]
    assert chart.columns[-1].label == "2026-11-26: 4 rows, 3 created, 1 failed (25.0% failed)"


def test_older_days_make_it_a_month(charts):
    (chart,) = charts.charts([day(20, created=1), day(0, failed=1)], TODAY, 30)
    assert len(chart.columns) == 30 and [y for _, y in chart.points] == [120.0, 0.0]


def test_a_feed_without_rows_has_no_chart_on_the_list_and_an_empty_one_by_itself(charts):
    assert charts.charts([day(0)], TODAY, 30) == []
    assert charts.chart("acme", [], TODAY, 30).read == 0
